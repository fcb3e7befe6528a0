"""An answer by way of a service that publishes: numbered events, a few at a time, one publish after another.

Nobody tells whether somebody listens, so nothing but `cancel` ends an answer early, and until then tokens are
made and paid for. The numbers count from 1 without gaps: who misses one knows it, and can ask for it.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from itertools import count

import anyio

from converse_handler import sse
from converse_handler.events import BlockStarted, BlockStopped, Event, Failed, Finished, Text
from converse_handler.failures import Broken, failed
from converse_handler.metrics import Record
from converse_handler.outbox import Outbox
from converse_handler.retry import Retries

MOST_EVENTS = 5  # of one publish: AppSync's limit
PER_SECOND = 20  # publishes of one answer; AppSync takes 25 a second of one WebSocket connection
RETRIES = Retries(attempts=6, backoff=0.2)  # of one publish
LAST_WORDS = 5.0  # seconds for the terminal event when the server shuts down

Post = Callable[[Sequence[str]], Awaitable[Sequence[int]]]


class NotPublished(Exception):
    """A publish was refused or got lost. `again`: another try may do; `retry_after` seconds at least."""

    def __init__(self, why: str, *, again: bool, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.again = again
        self.retry_after = retry_after


class ReaderLeft(NotPublished):
    """There is nobody to publish to any more."""

    def __init__(self, why: str) -> None:
        super().__init__(why, again=False)


class Publication:
    """One answer on its way. `post` publishes texts of JSON in this order; it returns the places of those
    that the service did not take, and raises `NotPublished`. `most`: events that it takes at a time."""

    def __init__(
        self,
        post: Post,
        record: Record,
        *,
        retries: Retries = RETRIES,
        per_second: float = PER_SECOND,
        most: int = MOST_EVENTS,
    ) -> None:
        self._most = most
        self._post, self._record, self._retries, self._pause = post, record, retries, 1 / per_second
        self._outbox = Outbox()
        self.published: list[str] = []  # the Nth has the number N + 1; also what is on its way
        self._wanted = anyio.CancelScope()
        self._next_at = 0.0

    def cancel(self) -> None:
        """Nobody wants the rest: let go of Bedrock, and end what is published with a terminal event."""
        self._wanted.cancel()

    async def run(self, events: AsyncGenerator[Event]) -> None:
        """Publish all of it. What cannot be published ends the answer, and the log has the reason."""
        reading = asyncio.create_task(self._read(events))
        try:
            await self._write()
        except ReaderLeft:
            pass
        except NotPublished as error:
            self._record.answer.cause = error
            self._record.see(Failed("not_published", str(error), retryable=True, partial=True))
        except asyncio.CancelledError:
            with anyio.move_on_after(LAST_WORDS, shield=True), suppress(NotPublished):
                await self._deliver([failed(Broken("stream_interrupted"), partial=True)])
            raise
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            self._record.end()

    async def _read(self, events: AsyncGenerator[Event]) -> None:
        block: int | None = None  # the one that is open
        spoken = over = False
        async with aclosing(events):
            with self._wanted:
                async for event in events:
                    self._outbox.put(event)
                    match event:
                        case BlockStarted(index):
                            block = index
                        case BlockStopped():
                            block = None
                        case Text():
                            spoken = True
                        case Finished() | Failed():
                            over = True
                    await self._outbox.room()
        if not over:
            if block is not None:
                self._outbox.put(BlockStopped(block))
            self._outbox.put(failed(Broken("stream_interrupted"), partial=spoken))

    async def _write(self) -> None:
        while True:
            batch = await self._outbox.take_some(self._most)
            await self._deliver(batch)
            for event in batch:
                self._record.see(event)
            if isinstance(batch[-1], Finished | Failed):
                return

    async def _deliver(self, batch: Sequence[Event]) -> None:
        """Publish these, all of them, before anything newer."""
        numbers = count(len(self.published) + 1)
        texts = [sse.to_json({"seq": next(numbers), **sse.payload(event)}).decode() for event in batch]
        self.published += texts
        for attempt in count(1):
            await self._pace()
            try:
                left = await self._post(texts)
                texts = [texts[place] for place in left]
                if not texts:
                    return
                error = NotPublished(f"the service did not take {len(texts)} events", again=True)
            except NotPublished as refused:
                error = refused
            if not (error.again and self._retries.allow(attempt, started=False)):
                raise error
            await asyncio.sleep(self._retries.pause(attempt, random.random(), error.retry_after))

    async def _pace(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._next_at - loop.time())
        self._next_at = loop.time() + self._pause
