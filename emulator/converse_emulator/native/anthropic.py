"""Anthropic's Messages: bodies and the full set of events. Bedrock sends no `ping` (none was recorded)."""

import re
from collections.abc import Iterator, Mapping

from converse_emulator.language.scenario import Json
from converse_emulator.models.model_ids import identify
from converse_emulator.native.anthropic_citations import citation
from converse_emulator.native.anthropic_reading import read
from converse_emulator.native.format import Answer, Body, Document, Format
from converse_emulator.native.text_only import content_of
from converse_emulator.scripting import ids
from converse_emulator.scripting.habits import habits_of
from converse_emulator.scripting.performance import Emit

_VERSION = re.compile(r"-v\d+(:.*)?$")
# Stop reasons of Converse that Anthropic's format has other words for.
_REASONS = {"guardrail_intervened": "end_turn", "content_filtered": "refusal"}


def _body(answer: Answer, message: Body) -> Document:
    content = [block for each in content_of(message) if (block := _block(each))]
    reason = _reason(message.get("stopReason"))
    return _message(answer, content, reason, answer.stop_sequence, answer.said)


def _message(
    answer: Answer, content: list[Document], reason: Json, sequence: str | None, said: int
) -> Document:
    """A message; those of the models that came before prompt caching have their keys in another order."""
    identity: Document = {"id": ids.message_id(answer.rng), "type": "message", "role": "assistant"}
    model = {"model": _model_name(answer.request.model)}
    identity = model | identity if habits_of(answer.request.model).caches else identity | model
    end = {"stop_reason": reason, "stop_sequence": sequence}
    return {**identity, "content": content, **end, "usage": _usage(answer, said)}


def _usage(answer: Answer, said: int) -> Document:
    habits = habits_of(answer.request.model)
    usage: Document = {"input_tokens": answer.sent}
    if habits.caches or "cacheReadInputTokens" in answer.usage:
        written = answer.usage.get("cacheWriteInputTokens", 0)
        usage["cache_creation_input_tokens"] = written
        usage["cache_read_input_tokens"] = answer.usage.get("cacheReadInputTokens", 0)
        if habits.native_ephemeral:
            lives = dict(answer.request.cache.details) if answer.request.cache else {}
            usage["cache_creation"] = {
                "ephemeral_5m_input_tokens": lives.get("5m", 0),
                "ephemeral_1h_input_tokens": lives.get("1h", 0),
            }
    return {**usage, "output_tokens": said}


def _model_name(model_id: str) -> str:
    """`claude-3-5-sonnet-20240620`, as the message tells it."""
    named = identify(model_id)
    base = (named.base if named else "") or model_id
    name = base.partition(".")[2] or base
    if old := re.fullmatch(r"claude-v2(?::(\d).*)?", name):
        return f"claude-2.{old[1] or 0}"
    return _VERSION.sub("", name)


def _block(block: Mapping[str, Json]) -> Document | None:
    """A content block of a body; None for one that the format does not have."""
    match block:
        case {"text": text}:
            return {"type": "text", "text": text}
        case {"citationsContent": {"citations": citations, "content": parts}}:
            text = "".join(part["text"] for part in parts)
            return {"citations": [citation(each) for each in citations], "type": "text", "text": text}
        case {"toolUse": {"toolUseId": call_id, "name": name, "input": given}}:
            return {"type": "tool_use", "id": call_id, "name": name, "input": given}
        case {"reasoningContent": {"reasoningText": thought}}:
            signature = thought.get("signature", "")
            return {"type": "thinking", "thinking": thought["text"], "signature": signature}
        case {"reasoningContent": {"redactedContent": data}}:
            return {"type": "redacted_thinking", "data": data}
        case _:
            return None


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._open: set[int] = set()

    def event(self, emit: Emit) -> Iterator[Document]:
        match emit.type, emit.body:
            case "messageStart", _:
                yield {"type": "message_start", "message": _message(self._answer, [], None, None, 1)}
            case "contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": call}}:
                block = {"type": "tool_use", "id": call["toolUseId"], "name": call["name"], "input": {}}
                yield self._start(index, block)
            case "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}:
                yield from self._delta(index, delta)
            case "contentBlockStop", {"contentBlockIndex": index} if index in self._open:
                self._open.discard(index)
                yield {"type": "content_block_stop", "index": index}
            case "messageStop", {"stopReason": reason}:
                end = {"stop_reason": _reason(reason), "stop_sequence": self._answer.stop_sequence}
                usage = {"output_tokens": self._answer.said}
                yield {"type": "message_delta", "delta": end, "usage": usage}
            case "metadata", _:
                yield {"type": "message_stop"}

    def _delta(self, index: int, delta: Mapping[str, Json]) -> Iterator[Document]:
        found = _spelt(delta)
        if found is None:
            return
        block, said = found
        if index not in self._open:
            yield self._start(index, block)
        if said:
            yield {"type": "content_block_delta", "index": index, "delta": said}

    def _start(self, index: int, block: Document) -> Document:
        self._open.add(index)
        return {"type": "content_block_start", "index": index, "content_block": block}


def _spelt(delta: Mapping[str, Json]) -> tuple[Document, Document | None] | None:
    """How a delta's block starts, and the delta; redacted thinking is all in its start."""
    match delta:
        case {"text": text}:
            return {"type": "text", "text": ""}, {"type": "text_delta", "text": text}
        case {"citation": said}:
            start = {"citations": [], "type": "text", "text": ""}
            return start, {"type": "citations_delta", "citation": citation(said)}
        case {"toolUse": {"input": said}}:
            return {}, {"type": "input_json_delta", "partial_json": said}
        case {"reasoningContent": {"redactedContent": data}}:
            return {"type": "redacted_thinking", "data": data}, None
        case {"reasoningContent": {"text": text}}:
            return _thinking(), {"type": "thinking_delta", "thinking": text}
        case {"reasoningContent": {"signature": signature}}:
            return _thinking(), {"type": "signature_delta", "signature": signature}
        case _:
            return None


def _thinking() -> Document:
    return {"type": "thinking", "thinking": "", "signature": ""}


def _reason(reason: Json) -> Json:
    return _REASONS.get(reason, reason) if isinstance(reason, str) else None


FORMAT = Format({"anthropic_version": str, "max_tokens": int, "messages": list}, read, _body, _Speech)
