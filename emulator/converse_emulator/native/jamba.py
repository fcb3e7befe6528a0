"""AI21's Jamba: chat completions. Each chunk counts the tokens; the metrics are an object of their own."""

from collections.abc import Iterator

from converse_emulator.language.scenario import Json
from converse_emulator.models.model_ids import identify
from converse_emulator.native.chat_content import Calls, contents
from converse_emulator.native.chat_reading import read_chat
from converse_emulator.native.format import Answer, Body, Document, Format, silent
from converse_emulator.scripting import ids
from converse_emulator.scripting.performance import Emit

_REASONS = {"max_tokens": "length", "tool_use": "tool_calls"}
_END_OF_TURN = 518  # the token by which the model ends (recorded)


def _body(answer: Answer, message: Body) -> Document:
    said = contents(message)
    calls = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": given}}
        for name, call_id, given in said.calls
    ]
    spoken = {"role": "assistant", "content": said.text, "tool_calls": calls or None}
    return {
        "id": ids.chat_id(answer.rng),
        "choices": [{"index": 0, "message": spoken, "finish_reason": _reason(message.get("stopReason"))}],
        "usage": {
            "prompt_tokens": answer.sent,
            "completion_tokens": answer.said,
            "total_tokens": answer.sent + answer.said,
        },
        "meta": {"requestDurationMillis": answer.latency},
        "model": _model_name(answer.request.model),
    }


def _model_name(model_id: str) -> str:
    """`jamba-1.5-mini` for `ai21.jamba-1-5-mini-v1:0`."""
    named = identify(model_id)
    name = (named.base if named else "").removeprefix("ai21.").partition("-v1")[0]
    return name.replace("-1-5-", "-1.5-")


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._id = ids.chat_id(answer.rng)
        self._calls = Calls()
        self._said = 0

    def event(self, emit: Emit) -> Iterator[Document]:
        self._said += emit.tokens
        match emit.type, emit.body:
            case "messageStart", _:
                yield self._chunk({"role": "assistant", "content": ""})
            case "contentBlockDelta", {"delta": {"text": text}} if text:
                yield self._chunk({"content": text})
            case "contentBlockStart", {"start": {"toolUse": call}}:
                yield self._chunk({"tool_calls": [self._calls.start(call)]})
            case "contentBlockDelta", {"delta": {"toolUse": {"input": piece}}} if piece:
                yield self._chunk({"tool_calls": [self._calls.piece(piece)]})
            case "messageStop", {"stopReason": reason}:
                yield self._end(reason)

    def _end(self, reason: str) -> Document:
        ended = {"stop_reason": _END_OF_TURN} if reason == "end_turn" else {}
        self._said = self._answer.said
        return self._chunk({"content": ""}, _reason(reason), ended) | {
            "meta": {"requestDurationMillis": self._answer.latency}
        }

    def _chunk(self, delta: Document, reason: str | None = None, ended: Document | None = None) -> Document:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, **(ended or {})}
        usage = {
            "prompt_tokens": self._answer.sent,
            "total_tokens": self._answer.sent + self._said,
            "completion_tokens": self._said,
        }
        return {"id": self._id, "choices": [choice], "usage": usage}


def _reason(reason: Json) -> str | None:
    return _REASONS.get(str(reason), "stop") if reason else None


FORMAT = Format({"messages": list}, read_chat, _body, _Speech, silent("contentBlockStop"))
