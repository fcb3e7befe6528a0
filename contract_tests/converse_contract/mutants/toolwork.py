"""Mutants that go wrong with tools."""
# ruff: noqa: ARG002  # an overridden hook has the arguments of its original

import json
import traceback
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

from converse_contract.mutants.base import Handler
from converse_contract.mutants.tooling import TOOLS
from converse_contract.mutants.turn import Block, Turn
from converse_contract.mutants.words import Messages, Out


class IgnoresTools(Handler):
    """The stream has ended, so the answer has."""

    caught_by: ClassVar = ("7.1", "7.4")

    def goes_on(self, turn: Turn, number: int) -> bool:
        return turn.stop_reason != "tool_use" and super().goes_on(turn, number)


class RestartsIndices(Handler):
    """Passes Bedrock's block indices on, and they start from 0 in every call."""

    caught_by: ClassVar = ("7.2",)

    def turn(self, index: int) -> Turn:
        return Turn(0)


class RewritesTurns(Handler):
    """Keeps what tools were called and not with what, for the history."""

    caught_by: ClassVar = ("7.3", "7.5", "7.6")

    def spoken(self, block: Block) -> dict[str, Any] | None:
        said = super().spoken(block)
        if block.kind == "tool":
            return {"toolUse": {"toolUseId": block.id, "name": block.name, "input": {}}}
        return said


class SilentTools(Handler):
    """Tools are the server's business."""

    caught_by: ClassVar = ("7.4",)

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        async for event in super().reply(messages):
            if event["type"] not in ("tool_start", "tool_end"):
                yield event


class _OneTool(Turn):
    def begin(self, place: int, tool: dict[str, str]) -> None:
        if self.tools:
            self.blocks[place] = self.tools[0]
        else:
            super().begin(place, tool)


class MergesTools(Handler):
    """Remembers "the current tool" and adds every input to it."""

    caught_by: ClassVar = ("7.5",)

    def turn(self, index: int) -> Turn:
        return _OneTool(index)


class _LastPiece(Turn):
    def delta(self, event: dict[str, Any]) -> Any:
        if "toolUse" in event["delta"]:
            self.blocks[event["contentBlockIndex"]].text = ""
        return super().delta(event)


class LastPieceOnly(Handler):
    """Takes every input delta for the whole input; with models that send one it is."""

    caught_by: ClassVar = ("7.6",)

    def turn(self, index: int) -> Turn:
        return _LastPiece(index)


class NoInputIsBroken(Handler):
    """`json.loads("")` for a tool without arguments."""

    caught_by: ClassVar = ("7.7", "7.8")

    async def tool(self, block: Block) -> tuple[bool, dict[str, Any]]:
        json.loads(block.text)
        return await super().tool(block)


class BrokenInputIsNone(Handler):
    """`except ValueError: input = {}`, and tools that take what they get."""

    caught_by: ClassVar = ("7.9",)

    def parsed(self, text: str) -> dict[str, Any]:
        try:
            return super().parsed(text)
        except ValueError:
            return {"customer_id": "everybody"}


class ToolErrorsEndAnswer(Handler):
    """`TOOLS[name](**input)` and nothing around it."""

    caught_by: ClassVar = ("7.11", "7.12")

    async def tool(self, block: Block) -> tuple[bool, dict[str, Any]]:
        result = await TOOLS[block.name](self.parsed(block.text))
        return True, self.result(block, "success", {"json": result})


class ShowsTracebacks(Handler):
    """Puts the tool's error into the event, for debugging."""

    caught_by: ClassVar = ("7.12",)

    def __init__(self) -> None:
        super().__init__()
        self.errors: dict[str, str] = {}

    async def tool(self, block: Block) -> tuple[bool, dict[str, Any]]:
        try:
            await TOOLS[block.name](self.parsed(block.text))
        except Exception:
            self.errors[block.id] = traceback.format_exc()
        return await super().tool(block)

    def tool_end(self, block: Block, ok: bool) -> Out:
        return {**super().tool_end(block, ok), "error": self.errors.get(block.id)}


class NoToolLimit(Handler):
    """The time limits are for the stream, and while a tool runs there is none."""

    caught_by: ClassVar = ("7.13",)

    def tool_limit(self) -> float | None:
        return None


class ManyRounds(Handler):
    """A limit on rounds that is no limit."""

    caught_by: ClassVar = ("7.15",)

    def tools_wanted(self, turn: Turn, number: int) -> bool:
        return super().tools_wanted(turn, number // 4)


class AnswersNoTools(Handler):
    """Stop reason tool_use: the next message has the results, and there are none."""

    caught_by: ClassVar = ("7.16",)

    def tools_wanted(self, turn: Turn, number: int) -> bool:
        return number <= self.settings.tool_rounds


class DropsReasoning(Handler):
    """Keeps text and tool calls; thinking was only for show."""

    caught_by: ClassVar = ("7.18",)

    def spoken(self, block: Block) -> dict[str, Any] | None:
        return None if block.kind == "thinking" else super().spoken(block)


MUTANTS: tuple[type[Handler], ...] = (
    IgnoresTools,
    RestartsIndices,
    RewritesTurns,
    SilentTools,
    MergesTools,
    LastPieceOnly,
    NoInputIsBroken,
    BrokenInputIsNone,
    ToolErrorsEndAnswer,
    ShowsTracebacks,
    NoToolLimit,
    ManyRounds,
    AnswersNoTools,
    DropsReasoning,
)
