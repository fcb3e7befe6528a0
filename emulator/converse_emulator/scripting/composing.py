"""A content step as the deltas of one content block, in the form the model's family sends it."""

import json
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from random import Random
from typing import Literal, NamedTuple, assert_never

from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import (
    Citation,
    Image,
    Json,
    Reasoning,
    Split,
    Text,
    ToolResult,
    ToolUse,
)
from converse_emulator.scripting import ids
from converse_emulator.scripting.habits import habits_of
from converse_emulator.scripting.tokens import count, split, tokens

Kind = Literal["text", "reasoning", "toolUse", "toolResult", "citation", "image"]
Composed = Text | Reasoning | ToolUse | ToolResult | Citation | Image
SERVER_TOOL = "server_tool_use"

TEXT: frozenset[Kind] = frozenset({"text"})


class Delta(NamedTuple):
    """The `delta` member of one contentBlockDelta, and the output tokens that end in it."""

    body: Mapping[str, Json]
    tokens: int


class Block(NamedTuple):
    """The deltas that a content step adds; `start` is the contentBlockStart's member, where it has one.

    `takes`: what kinds may follow in the same content block. `full`: the tokens that were allowed did not
    reach to the block's end.
    """

    kind: Kind
    deltas: tuple[Delta, ...]
    start: Mapping[str, Json] | None = None
    takes: frozenset[Kind] = frozenset()
    full: bool = False


EMPTY_TEXT = Block("text", (Delta({"text": ""}, 0),), takes=TEXT)


class Composer:
    """Composes the blocks of one answer to `request`."""

    def __init__(self, request: Request, rng: Random) -> None:
        self.habits = habits_of(request.model)
        self._request = request
        self._rng = rng
        self._system_tools = frozenset(_system_tools(request.body))
        self._called = ToolUse("tool", id="tooluse_")  # the last call, as it was sent

    def block(self, step: Composed, how: Split | None, room: int | None) -> Block:
        """The deltas of `step`, cut as `how` says (None: as is usual), of at most `room` tokens."""
        match step:
            case Text():
                return self._text(step.text, how, room)
            case Reasoning():
                return self._reasoning(step, how, room)
            case ToolUse():
                return self._tool_use(step, how, room)
            case ToolResult():
                return self._tool_result(step)
            case Citation(members):
                takes: frozenset[Kind] = frozenset({"citation"})
                takes = takes if self.habits.cites_apart else takes | TEXT
                return Block("citation", (Delta({"citation": members}, 0),), takes=takes)
            case Image(data, image_format):
                image = {"source": {"bytes": b64encode(data).decode()}}
                return Block("image", (Delta({"image": image}, 0),), {"image": {"format": image_format}})
            case _ as never:
                assert_never(never)

    def _text(self, text: str, how: Split | None, room: int | None) -> Block:
        usual = self.habits.tokens
        if how == "usual" and usual is not None:
            how = tuple(_in_groups(tokens(text), usual, self._rng))
        elif how == "usual" or how is None:
            how = "tokens" if usual is not None else "whole"
        return _cut("text", text, how, room, lambda piece: {"text": piece})._replace(takes=TEXT)

    def _reasoning(self, step: Reasoning, how: Split | None, room: int | None) -> Block:
        if step.redacted is not None:
            redacted = {"redactedContent": b64encode(step.redacted).decode()}
            return Block("reasoning", (Delta({"reasoningContent": redacted}, 0),))
        how = how or ("whole" if self.habits.reasons_whole else "tokens")
        block = _cut("reasoning", step.text, how, room, lambda piece: {"reasoningContent": {"text": piece}})
        signature = step.signature
        if signature is None and self.habits.signs:
            signature = ids.signature(self._rng)
        if not signature or block.full:
            return block
        signed = Delta({"reasoningContent": {"signature": signature}}, 0)
        return block._replace(deltas=(*block.deltas, signed))

    def _tool_use(self, step: ToolUse, how: Split | None, room: int | None) -> Block:
        """The input whole, or an empty delta and pieces. The first delta counts for the tool's name, too."""
        cost = count(step.name)
        if room is not None and cost > room:
            return Block("toolUse", (), full=True)
        whole = self.habits.tool_whole
        text = _input_text(step.input, compact=whole)
        how = how if how not in (None, "usual") else "whole" if whole else "tokens"
        body = _cut("toolUse", text, how, None if room is None else room - cost, _tool_input)
        deltas = body.deltas
        if not deltas or not (whole or deltas[0].body == _tool_input("")):
            deltas = (Delta(_tool_input(""), 0), *deltas)
        first, *further = deltas
        start = {"toolUse": self._start(step)}
        return Block("toolUse", (Delta(first.body, first.tokens + cost), *further), start, full=body.full)

    def _start(self, step: ToolUse) -> dict[str, Json]:
        """What a tool call begins with. Ordinary calls are told from others where there are others."""
        kind = step.type
        if kind is None and self._system_tools:
            kind = SERVER_TOOL if step.name in self._system_tools else "tool_use"
        self._called = replace(step, id=step.id or self._tool_id(kind), type=kind)
        start = {"name": step.name, "toolUseId": self._called.id}
        return start if kind is None else {**start, "type": kind}

    def _tool_id(self, kind: str | None) -> str:
        if kind == SERVER_TOOL:
            return ids.server_tool_id(self._rng)
        native = self._request.native is not None
        return self.habits.native_tool_id(self._rng) if native else ids.tool_use_id(self._rng)

    def _tool_result(self, step: ToolResult) -> Block:
        start = {
            "status": step.status,
            "toolUseId": step.id or self._called.id,
            "type": step.type or f"{self._called.name}_result",
        }
        given = {name: value for name, value in start.items() if value}
        content = (Delta({"toolResult": list(step.content)}, 0),)
        return Block("toolResult", content, {"toolResult": given})


def _system_tools(body: Mapping[str, Json]) -> Iterator[str]:
    """The names of the request's system tools, which the service itself runs."""
    for tool in (body.get("toolConfig") or {}).get("tools") or ():
        if system := tool.get("systemTool"):
            yield system["name"]


def _in_groups(found: Sequence[str], usual: int, rng: Random) -> Iterator[str]:
    """Pieces of about `usual` tokens."""
    start = 0
    while start < len(found):
        length = rng.randint(max(1, usual // 2), usual + usual // 2)
        yield "".join(found[start : start + length])
        start += length


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
