"""The body of a response: an answer's events as Server-Sent Events, and heartbeats while nothing else flows.

It is the same whatever carries the bytes; `write` is what differs. A write may wait, and what it raises ends
the body. Ended or cancelled, the body lets go of the answer on the spot, and the answer lets go of Bedrock.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import anyio

from converse_handler import sse
from converse_handler.events import Event
from converse_handler.metrics import Record

Write = Callable[[bytes], Awaitable[None]]


async def blocks_of(events: AsyncGenerator[Event], record: Record, answer: str) -> AsyncGenerator[bytes]:
    """The blocks of an answer that is read once, by whoever makes it go on."""
    number = 0
    async with aclosing(events):
        async for event in events:
            number += 1
            yield sse.encode(event, number, answer)
            record.see(event)


class Body:
    """`heartbeat`: seconds of silence until a comment is written."""

    def __init__(self, write: Write, heartbeat: float) -> None:
        self._write = write
        self._heartbeat = heartbeat
        self._written_at = 0.0

    async def send(self, blocks: AsyncGenerator[bytes]) -> None:
        """Write these blocks and the sentinel; the silence before the first block counts from now on."""
        self._written_at = anyio.current_time()
        async with aclosing(blocks), anyio.create_task_group() as tasks:
            tasks.start_soon(self._beat)
            first = True
            async for block in blocks:
                await self._put(sse.opening(block) if first else block)
                first = False
            await self._put(sse.DONE)
            tasks.cancel_scope.cancel()

    async def _put(self, data: bytes) -> None:
        await self._write(data)
        self._written_at = anyio.current_time()

    async def _beat(self) -> None:
        while True:
            await anyio.sleep_until(due := self._written_at + self._heartbeat)
            if self._written_at + self._heartbeat <= due:  # nothing was written meanwhile
                await self._put(sse.HEARTBEAT)
