"""A content step as the deltas of one content block, in the form the model's family sends it."""

import json
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Literal, assert_never

from converse_emulator import ids
from converse_emulator.scenario import Json, Reasoning, Split, Text, ToolUse
from converse_emulator.tokens import count, split, tokens

Kind = Literal["text", "reasoning", "toolUse"]


@dataclass(frozen=True, slots=True)
class Delta:
    """The `delta` member of one contentBlockDelta, and the output tokens that end in it."""

    body: Mapping[str, Json]
    tokens: int


@dataclass(frozen=True, slots=True)
class Block:
    """The deltas that a content step adds; `start` is the contentBlockStart's member, for tool calls.

    `full`: the tokens that were allowed did not reach to its end.
    """

    kind: Kind
    deltas: tuple[Delta, ...]
    start: Mapping[str, Json] | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes the blocks of one answer of `model_id`."""

    model_id: str
    rng: Random

    def block(self, step: Text | Reasoning | ToolUse, how: Split | None, room: int | None) -> Block:
        """The deltas of `step`, cut as `how` says (None: as is usual), of at most `room` tokens."""
        match step:
            case Text():
                return _cut("text", step.text, how or "tokens", room, lambda piece: {"text": piece})
            case Reasoning():
                return self._reasoning(step, how or "tokens", room)
            case ToolUse():
                return self._tool_use(step, how, room)
            case _ as never:
                assert_never(never)

    def _reasoning(self, step: Reasoning, how: Split, room: int | None) -> Block:
        if step.redacted is not None:
            redacted = {"redactedContent": b64encode(step.redacted).decode()}
            return Block("reasoning", (Delta({"reasoningContent": redacted}, 0),))
        block = _cut("reasoning", step.text, how, room, lambda piece: {"reasoningContent": {"text": piece}})
        signature = step.signature
        if signature is None and self._family("claude", "anthropic"):
            signature = ids.signature(self.rng)
        if not signature or block.full:
            return block
        signed = Delta({"reasoningContent": {"signature": signature}}, 0)
        return Block("reasoning", (*block.deltas, signed))

    def _tool_use(self, step: ToolUse, how: Split | None, room: int | None) -> Block:
        """Nova sends the input whole and compact; Claude an empty delta, then cuts of spaced JSON.

        The first delta counts for the tokens of the tool's name, too.
        """
        cost = count(step.name)
        if room is not None and cost > room:
            return Block("toolUse", (), full=True)
        nova = self._family("nova")
        text = _input_text(step.input, compact=nova)
        how = how or ("whole" if nova else "tokens")
        body = _cut("toolUse", text, how, None if room is None else room - cost, _tool_input)
        first, *further = body.deltas if nova and body.deltas else (Delta(_tool_input(""), 0), *body.deltas)
        if text == "":
            further = []
        start = {"toolUse": {"name": step.name, "toolUseId": step.id or ids.tool_use_id(self.rng)}}
        deltas = (Delta(first.body, first.tokens + cost), *further)
        return Block("toolUse", deltas, start, body.full)

    def _family(self, *names: str) -> bool:
        return any(name in self.model_id.lower() for name in names)


def _tool_input(text: str) -> dict[str, Json]:
    return {"toolUse": {"input": text}}


def _input_text(value: Json, *, compact: bool) -> str:
    """The JSON text of a tool's input; a string is that text already. Claude sends no input as nothing."""
    if isinstance(value, str):
        return value
    if value == {} and not compact:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":") if compact else (", ", ": "))


def _cut(kind: Kind, text: str, how: Split, room: int | None, wrap: Callable[[str], Json]) -> Block:
    """`text` in deltas, ended after `room` tokens (None: never)."""
    ends = list(accumulate(len(token) for token in tokens(text)))
    full = room is not None and room < len(ends)
    if full:
        text, ends = text[: ends[room - 1] if room else 0], ends[:room]
        if not text:
            return Block(kind, (), full=True)
    return Block(kind, tuple(_deltas(split(text, how), ends, wrap)), full=full)


def _deltas(pieces: Sequence[str], ends: Sequence[int], wrap: Callable[[str], Json]) -> list[Delta]:
    """A token belongs to the delta that brings its last character, however the text is cut."""
    deltas, sent = [], 0
    for piece, position in zip(pieces, accumulate(map(len, pieces)), strict=True):
        complete = bisect_right(ends, position)
        deltas.append(Delta(wrap(piece), complete - sent))
        sent = complete
    return deltas
