"""Mutants that mistake what an answer consists of, what it costs, or why it stopped."""
# an overridden hook has the arguments of its original

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

from converse_contract.mutants.base import Handler
from converse_contract.mutants.bedrock import Event
from converse_contract.mutants.turn import Block, Turn
from converse_contract.mutants.words import Messages, Out


class _ThinksAloud(Turn):
    def show(self, block: Block, text: str) -> Any:
        block.kind = "text"
        return super().show(block, text)


class ThinkingAsText(Handler):
    """Takes whatever text a delta has; a reasoning delta has one, too."""

    caught_by: ClassVar = ("2.1",)

    def turn(self, index: int) -> Turn:
        return _ThinksAloud(index)


class _ShowsSignature(Turn):
    def delta(self, event: dict[str, Any]) -> Any:
        yield from super().delta(event)
        signature = event["delta"].get("reasoningContent", {}).get("signature", "")
        yield from self.show(self.blocks[event["contentBlockIndex"]], signature)


class ShowsSignature(Handler):
    """Forwards every member of a reasoning delta."""

    caught_by: ClassVar = ("2.2",)

    def turn(self, index: int) -> Turn:
        return _ShowsSignature(index)


class _WantsText(Turn):
    def delta(self, event: dict[str, Any]) -> Any:
        delta = event["delta"]
        if "reasoningContent" in delta and "signature" not in delta["reasoningContent"]:
            delta["reasoningContent"]["text"]  # the KeyError is the point
        return super().delta(event)


class WantsReasoningText(Handler):
    """`delta["reasoningContent"]["text"]`, which redacted reasoning does not have."""

    caught_by: ClassVar = ("2.3",)

    def turn(self, index: int) -> Turn:
        return _WantsText(index)


class _OpensAtOnce(Turn):
    def show(self, block: Block, text: str) -> Any:
        if block.index is None:
            block.index, self.index = self.index, self.index + 1
            yield {"type": "content_block_start", "index": block.index, "kind": block.kind}
        yield from super().show(block, text)


class OpensEmptyBlocks(Handler):
    """Opens a block at its first delta, whatever is in it."""

    caught_by: ClassVar = ("2.4",)

    def turn(self, index: int) -> Turn:
        return _OpensAtOnce(index)


class AlwaysTruncated(Handler):
    """Writes "(response truncated)" under every answer, to be on the safe side."""

    caught_by: ClassVar = ("2.5", "2.6")

    def finish(self, turn: Turn, turns: list[Turn]) -> Out:
        return {**super().finish(turn, turns), "truncated": True}


class NeverTruncated(Handler):
    """The stream ended cleanly, so the answer is complete."""

    caught_by: ClassVar = ("2.7", "2.8")

    def finish(self, turn: Turn, turns: list[Turn]) -> Out:
        return {**super().finish(turn, turns), "truncated": False}


class OneStopReason(Handler):
    """Everything that is not tool_use is an end like any other."""

    caught_by: ClassVar = ("2.8", "2.9", "2.10", "2.11", "2.13")

    def goes_on(self, turn: Turn, number: int) -> bool:
        if turn.stop_reason not in (None, "tool_use"):
            turn.stop_reason = "end_turn"
        return super().goes_on(turn, number)


class RunsWhateverIsThere(Handler):
    """Looks at the blocks instead of the stop reason: where there is a tool call, it is run."""

    caught_by: ClassVar = ("2.12", "7.10")

    def goes_on(self, turn: Turn, number: int) -> bool:
        if turn.stop_reason is not None and turn.tools:
            return self.tools_wanted(turn, number)
        return super().goes_on(turn, number)


class CountsDeltas(Handler):
    """Counts what it sends and calls it tokens."""

    caught_by: ClassVar = ("1.16",)

    def finish(self, turn: Turn, turns: list[Turn]) -> Out:
        words = sum(len(block.text.split()) for one in turns for block in one.blocks.values())
        return {**super().finish(turn, turns), "usage": {"input_tokens": 0, "output_tokens": words}}


class LeavesAtMessageStop(Handler):
    """Breaks out of the loop at messageStop; the usage comes after it."""

    caught_by: ClassVar = ("1.16", "1.17")

    async def stream(self, messages: Messages, deadline: float) -> AsyncGenerator[Event]:
        async for event in super().stream(messages, deadline):
            yield event
            if "messageStop" in event:
                return


class InventsUsage(Handler):
    """Usage that is not there is zero."""

    caught_by: ClassVar = ("1.18",)

    def finish(self, turn: Turn, turns: list[Turn]) -> Out:
        end = super().finish(turn, turns)
        return {**end, "usage": end["usage"] or {"input_tokens": 0, "output_tokens": 0}}


class AsksTwice(Handler):
    """Has a title made for the conversation, with the same client, on the side."""

    caught_by: ClassVar = ("1.19",)

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        await asyncio.to_thread(self.bedrock.converse, **self.request(messages))
        async for event in super().reply(messages):
            yield event


MUTANTS: tuple[type[Handler], ...] = (
    ThinkingAsText,
    ShowsSignature,
    WantsReasoningText,
    OpensEmptyBlocks,
    AlwaysTruncated,
    NeverTruncated,
    OneStopReason,
    RunsWhateverIsThere,
    CountsDeltas,
    LeavesAtMessageStop,
    InventsUsage,
    AsksTwice,
)
