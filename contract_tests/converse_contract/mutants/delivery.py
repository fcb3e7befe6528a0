"""Mutants that deliver an answer wrongly although nothing went wrong with it."""
# ruff: noqa: ARG002  # an overridden hook has the arguments of its original

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import ClassVar

from converse_contract.mutants.base import Handler
from converse_contract.mutants.bedrock import Event
from converse_contract.mutants.words import Messages, Out

TYPING = 0.005  # seconds between two words that are typed for show


def text_of(event: Out) -> str | None:
    """The text of a text delta."""
    if event["type"] != "content_block_delta":
        return None
    text: str | None = event["delta"].get("text")
    return text


class Illusion(Handler):
    """Calls the blocking Converse and types its answer out afterwards: the article's option 5."""

    caught_by: ClassVar = ("1.14", "1.15", "1.19")

    async def stream(self, messages: Messages, deadline: float) -> AsyncGenerator[Event]:
        answer = await asyncio.to_thread(self.bedrock.converse, **self.request(messages))
        yield {"messageStart": {"role": "assistant"}}
        for index, block in enumerate(answer["output"]["message"]["content"]):
            for word in re.findall(r"\S+\s*|\s+", block.get("text", "")):
                yield {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"text": word}}}
                await asyncio.sleep(TYPING)
            yield {"contentBlockStop": {"contentBlockIndex": index}}
        yield {"messageStop": {"stopReason": answer["stopReason"]}}
        yield {"metadata": {"usage": answer["usage"]}}


class BuffersEverything(Handler):
    """A framework, a gzip layer or a Lambda in BUFFERED mode: all of it, when all of it is there."""

    caught_by: ClassVar = ("1.14", "1.15")

    async def body(self, messages: Messages) -> AsyncIterator[bytes]:
        yield b"".join([piece async for piece in super().body(messages)])


class BuffersTwo(Handler):
    """Holds every delta back until the next one comes, to see whether it was the last."""

    caught_by: ClassVar = ("1.14", "1.15")

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        held: list[Out] = []
        async for event in super().reply(messages):
            for one in held:
                yield one
            held = [event] if text_of(event) else []
            if not held:
                yield event


class BuffersBlocks(Handler):
    """Shows a block when it is complete, as markdown renderers like it; what is not complete is lost."""

    caught_by: ClassVar = ("1.14", "4.9")

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        held: list[Out] = []
        async for event in super().reply(messages):
            if event["type"] in ("content_block_delta", "content_block_stop"):
                held.append(event)
                continue
            for one in held if event["type"] != "error" else ():
                yield one
            held = []
            yield event


class ForwardsStarts(Handler):
    """Forwards the block starts that Bedrock sends, and it sends none for text."""

    caught_by: ClassVar = ("1.3",)

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        async for event in super().reply(messages):
            if event["type"] != "content_block_start":
                yield event


class EndsTwice(Handler):
    """Reports the end in the loop and again in the finally clause."""

    caught_by: ClassVar = ("1.4",)

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        async for event in super().reply(messages):
            yield event
            if event["type"] == "message_stop":
                yield event


class NoSentinel(Handler):
    """Ends the body and thinks that this says it all."""

    caught_by: ClassVar = ("1.5",)

    def closing(self) -> bytes:
        return b""


class WrongMediaType(Handler):
    """StreamingResponse without a media type, or with the one of the route next to it."""

    caught_by: ClassVar = ("1.1",)

    def headers(self) -> dict[str, str]:
        return {**super().headers(), "content-type": "application/json"}


class SilentToProxies(Handler):
    """Sets the media type and nothing else."""

    caught_by: ClassVar = ("1.2",)

    def headers(self) -> dict[str, str]:
        return {"content-type": "text/event-stream"}


class NoIds(Handler):
    """Events are lines of data; who needs more."""

    caught_by: ClassVar = ("1.6",)

    def frame(self, number: int, event: Out) -> bytes:
        return super().frame(number, event).partition(b"\n")[2]


class NoRetry(Handler):
    """Leaves the reconnection time to the browser."""

    caught_by: ClassVar = ("1.7",)

    def opening(self) -> bytes:
        return b""


class DecodesChunks(Handler):
    """Cuts bytes into buffers, tiny ones here, and decodes every one by itself, forgiving errors."""

    caught_by: ClassVar = ("1.8",)

    def frame(self, number: int, event: Out) -> bytes:
        raw = super().frame(number, event)
        pieces = (raw[at : at + 2] for at in range(0, len(raw), 2))
        return "".join(piece.decode(errors="replace") for piece in pieces).encode()


class Sanitises(Handler):
    """Drops what is not printable, and with it the joiners inside emoji."""

    caught_by: ClassVar = ("1.9", "1.12")

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        async for event in super().reply(messages):
            if text := text_of(event):
                printable = "".join(character for character in text if character.isprintable())
                yield {**event, "delta": {"text": printable}}
            else:
                yield event


class RawNewlines(Handler):
    """Puts the text between the quotes by itself."""

    caught_by: ClassVar = ("1.10",)

    def frame(self, number: int, event: Out) -> bytes:
        if (text := text_of(event)) is None:
            return super().frame(number, event)
        delta = f'{{"type": "{event["type"]}", "index": {event["index"]}, "delta": {{"text": "{text}"}}}}'
        return f"id: {number}\ndata: {delta}\n\n".encode()


class SplitsLines(Handler):
    """Writes one data line for every line of the payload, as the format wants, with str.splitlines."""

    caught_by: ClassVar = ("1.11",)

    def frame(self, number: int, event: Out) -> bytes:
        lines = json.dumps(event, ensure_ascii=False).splitlines()
        data = "".join(f"data: {line}\n" for line in lines)
        return f"id: {number}\n{data}\n".encode()


class DropsBlankDeltas(Handler):
    """`if delta.strip():` before it sends anything."""

    caught_by: ClassVar = ("1.12",)

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        async for event in super().reply(messages):
            if (text := text_of(event)) is None or text.strip():
                yield event


class StopsAtEmptyDelta(Handler):
    """`if not text: break`, for an empty piece has always meant the end."""

    caught_by: ClassVar = ("1.13",)

    async def stream(self, messages: Messages, deadline: float) -> AsyncGenerator[Event]:
        async for event in super().stream(messages, deadline):
            if event.get("contentBlockDelta", {}).get("delta") == {"text": ""}:
                return
            yield event


class NoTextNoEnd(Handler):
    """Does its work at the first text; without any there is nothing to end."""

    caught_by: ClassVar = ("1.20",)

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        shown = False
        async for event in super().reply(messages):
            shown = shown or bool(text_of(event))
            if shown or event["type"] != "message_stop":
                yield event


MUTANTS: tuple[type[Handler], ...] = (
    Illusion,
    BuffersEverything,
    BuffersTwo,
    BuffersBlocks,
    ForwardsStarts,
    EndsTwice,
    NoSentinel,
    WrongMediaType,
    SilentToProxies,
    NoIds,
    NoRetry,
    DecodesChunks,
    Sanitises,
    RawNewlines,
    SplitsLines,
    DropsBlankDeltas,
    StopsAtEmptyDelta,
    NoTextNoEnd,
)
