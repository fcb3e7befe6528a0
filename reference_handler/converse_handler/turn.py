"""One assistant message: Bedrock's events in, canonical events out, and at the end what came of it.

Theory. A message is one run through three phases:

              messageStart              messageStop
    WAITING ----------------> SPEAKING ----------------> STOPPED
                              content,                   metadata
                              metadata

and only STOPPED, when the body is over, is a whole message: botocore ends its loop without an error when the
connection ends too early, and usage may arrive although messageStop never did. A known event in a phase that
has no place for it means that frames were lost; unknown events and deltas are the future and are passed over.

Blocks. Text and thinking have no start event: they begin with their first delta that is not empty. A tool
call is complete when its block was stopped and its input is a JSON object; no input at all is `{}`. Whether
it may run is for the stop reason to say, which comes last, so nothing is dispatched from here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from converse_handler.events import BlockStarted, BlockStopped, Event, Kind, Text, Thinking, Usage
from converse_handler.failures import Broken

Json = Any  # a JSON value


class Phase(Enum):
    """How far the message is."""

    WAITING = "waiting"
    SPEAKING = "speaking"
    STOPPED = "stopped"


TRANSITIONS: Mapping[tuple[Phase, str], Phase] = {
    (Phase.WAITING, "messageStart"): Phase.SPEAKING,
    (Phase.SPEAKING, "contentBlockStart"): Phase.SPEAKING,
    (Phase.SPEAKING, "contentBlockDelta"): Phase.SPEAKING,
    (Phase.SPEAKING, "contentBlockStop"): Phase.SPEAKING,
    (Phase.SPEAKING, "metadata"): Phase.SPEAKING,
    (Phase.SPEAKING, "messageStop"): Phase.STOPPED,
    (Phase.STOPPED, "metadata"): Phase.STOPPED,
}
KNOWN = frozenset(event for _, event in TRANSITIONS)

STOP_REASONS: Mapping[str, Literal["complete", "truncated", "tools", "malformed"]] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "guardrail_intervened": "complete",
    "content_filtered": "complete",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "tool_use": "tools",
    "malformed_model_output": "malformed",
    "malformed_tool_use": "malformed",
}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants to be run. `input` is None when it is no JSON object."""

    id: str
    name: str
    input: Mapping[str, Json] | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """The message ends the answer."""

    reason: str
    truncated: bool


@dataclass(slots=True)
class _Block:
    kind: Literal["text", "thinking", "tool"]
    pieces: list[str] = field(default_factory=list)  # of a tool: its input, as JSON text
    signature: str = ""
    redacted: bytes = b""
    id: str = ""
    name: str = ""
    stopped: bool = False

    def input(self) -> Mapping[str, Json] | None:
        if not self.stopped:
            return None
        try:
            value = json.loads("".join(self.pieces) or "{}")
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


class Turn:
    """Feed it the events of one call, then ask for the `end`. `first_index` is the first block's index."""

    def __init__(self, first_index: int = 0) -> None:
        self.next_index = first_index
        self.usage: Usage | None = None  # absent stays absent
        self._phase = Phase.WAITING
        self._stop_reason = ""
        self._blocks: dict[tuple[int, str], _Block] = {}  # by Bedrock's index and kind, in order
        self._open: tuple[int, str] | None = None  # the one block that the browser sees as open

    def feed(self, event: Mapping[str, Any]) -> list[Event]:
        """What the browser is told of an event; raises `Broken` when events are missing or out of order."""
        name, body = next(iter(event.items()))  # a tagged union: one member
        if name not in KNOWN:
            return []
        phase = TRANSITIONS.get((self._phase, name))
        if phase is None:
            raise Broken("stream_corrupted")
        self._phase = phase
        try:
            return self._take(name, body)
        except (KeyError, TypeError) as error:  # botocore turns a payload that is no JSON into an empty body
            raise Broken("stream_corrupted") from error

    def close(self) -> list[Event]:
        """Close the block that is open, if any; the last thing to send before a failure."""
        if self._open is None:
            return []
        self._open = None
        return [BlockStopped(self.next_index - 1)]

    def end(self) -> Stopped | tuple[ToolCall, ...]:
        """The body is over: how the answer ends, or the tools to run; raises `Broken` if it was not whole."""
        if self._phase is not Phase.STOPPED:
            raise Broken("stream_interrupted")
        calls = tuple(
            ToolCall(block.id, block.name, block.input())
            for block in self._blocks.values()
            if block.kind == "tool"
        )
        match STOP_REASONS.get(self._stop_reason):
            case "tools" if calls and len({call.id for call in calls}) == len(calls):
                return calls
            case "complete" if not (calls and self._stop_reason == "end_turn"):  # a call, and yet the end?
                return Stopped(self._stop_reason, truncated=False)
            case "truncated":
                return Stopped(self._stop_reason, truncated=True)
            case None:  # a stop reason of the future is no proof of success
                raise Broken("model_error")
            case _:
                raise Broken("malformed_output")

    def message(self) -> dict[str, Any]:
        """The message as Bedrock wants it back with the results: with signatures, without empty texts."""
        content = [spoken for block in self._blocks.values() if (spoken := _spoken(block))]
        return {"role": "assistant", "content": content}

    def _take(self, name: str, body: Mapping[str, Any]) -> list[Event]:
        match name:
            case "contentBlockStart":
                return self._start(body["contentBlockIndex"], body["start"])
            case "contentBlockDelta":
                return self._delta(body["contentBlockIndex"], body["delta"])
            case "contentBlockStop":
                return self._stop(body["contentBlockIndex"])
            case "messageStop":
                self._stop_reason = body["stopReason"]
                return self.close()
            case "metadata":
                self._count(body)
        return []

    def _count(self, metadata: Mapping[str, Any]) -> None:
        match metadata:
            case {"usage": {"inputTokens": int(input_tokens), "outputTokens": int(output_tokens)}}:
                self.usage = Usage(input_tokens, output_tokens)

    def _start(self, index: int, start: Mapping[str, Any]) -> list[Event]:
        tool = start.get("toolUse")
        if tool is None or tool.get("type") == "server_tool_use":  # Bedrock runs its own tools itself
            return []
        if (index, "tool") in self._blocks:
            raise Broken("stream_corrupted")
        self._blocks[index, "tool"] = _Block("tool", id=tool["toolUseId"], name=tool["name"])
        return self.close()

    def _delta(self, index: int, delta: Mapping[str, Any]) -> list[Event]:
        match delta:
            case {"text": str(text)}:
                return self._say(index, "text", text)
            case {"reasoningContent": {"text": str(text)}}:
                return self._say(index, "thinking", text)
            case {"reasoningContent": {"signature": str(signature)}}:
                self._block(index, "thinking").signature += signature
            case {"reasoningContent": {"redactedContent": bytes(redacted)}}:
                self._block(index, "thinking").redacted += redacted
            case {"toolUse": {"input": str(piece)}} if block := self._blocks.get((index, "tool")):
                block.pieces.append(piece)
        return []

    def _block(self, index: int, kind: Kind) -> _Block:
        return self._blocks.setdefault((index, kind), _Block(kind))

    def _say(self, index: int, kind: Kind, text: str) -> list[Event]:
        if not text:
            return []
        self._block(index, kind).pieces.append(text)
        opening: list[Event] = []
        if self._open != (index, kind):
            opening = [*self.close(), BlockStarted(self.next_index, kind)]
            self._open = (index, kind)
            self.next_index += 1
        at = self.next_index - 1
        return [*opening, Text(at, text) if kind == "text" else Thinking(at, text)]

    def _stop(self, index: int) -> list[Event]:
        if tool := self._blocks.get((index, "tool")):
            tool.stopped = True
        return self.close() if self._open and self._open[0] == index else []


def _spoken(block: _Block) -> dict[str, Any] | None:
    text = "".join(block.pieces)
    match block.kind:
        case "text":
            return {"text": text} if text else None
        case "tool":  # the history needs an object, also for a call that could not be run
            return {"toolUse": {"toolUseId": block.id, "name": block.name, "input": block.input() or {}}}
        case "thinking" if block.redacted:
            return {"reasoningContent": {"redactedContent": block.redacted}}
        case "thinking":
            signed = {"text": text, "signature": block.signature} if block.signature else {"text": text}
            return {"reasoningContent": {"reasoningText": signed}} if block.signature or text else None
