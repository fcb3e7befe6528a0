"""The body of a response: an answer's events as Server-Sent Events, and heartbeats while nothing else flows.

It is the same whatever carries the bytes; `write` is what differs. A write may wait, and what it raises ends
the body. Ended or cancelled, the body lets go of the answer on the spot, and the answer lets go of Bedrock.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from itertools import count

import anyio

from converse_handler import sse
from converse_handler.events import Event
from converse_handler.metrics import Record

Write = Callable[[bytes], Awaitable[None]]


class Body:
    """`heartbeat`: seconds of silence until a comment is written."""

    def __init__(self, record: Record, write: Write, heartbeat: float) -> None:
        self._record = record
        self._write = write
        self._heartbeat = heartbeat
        self._written_at = 0.0

    async def send(self, events: AsyncGenerator[Event]) -> None:
        """Write the whole of it; the silence before the first event counts from now on."""
        self._written_at = anyio.current_time()
        async with aclosing(events), anyio.create_task_group() as tasks:
            tasks.start_soon(self._beat)
            numbers = count(1)
            async for event in events:
                await self._put(sse.encode(event, next(numbers)))
                self._record.see(event)
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
