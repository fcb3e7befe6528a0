"""One answer being made, apart from whoever reads it: a task from Bedrock into a backlog.

While somebody reads it goes on. When the last reader has left it goes on for `grace` seconds more, in case
the browser comes back; then it is cancelled, which lets go of Bedrock at once. With no grace the browser's
leaving ends it on the spot.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from converse_handler import sse
from converse_handler.backlog import Backlog
from converse_handler.conversation import Answer
from converse_handler.cut_short import cut_short
from converse_handler.events import Event
from converse_handler.metrics import Record

log = logging.getLogger("converse_handler")


class Generation:
    """`ended` is called once, when the answer is over, however that came about."""

    def __init__(
        self,
        answer: Answer,
        begin: Callable[[], Record],
        backlog: Backlog,
        *,
        grace: float,
        ended: Callable[[], None],
    ) -> None:
        self.id = answer.id
        self.backlog = backlog
        self.grace = grace
        self.read_elsewhere_until = 0.0  # by the loop's clock: another instance has a reader
        self._events = answer.events()
        self._begin: Callable[[], Record] | None = begin
        self._ended = ended
        self._readers = 0
        self._task: asyncio.Task[None] | None = None

    async def read(self, number: int = 0) -> AsyncGenerator[bytes]:
        """The blocks after this one as they come. The first reader sets the answer going."""
        if self._begin is not None:
            record, self._begin = self._begin(), None  # what was asked need not be kept as long as the answer
            self._task = asyncio.create_task(self._run(record))
            self._task.add_done_callback(lambda task: self._over(task, record))  # also if it never ran
        self._readers += 1
        try:
            async with aclosing(self.backlog.follow(number)) as blocks:
                async for block in blocks:
                    yield block
        finally:
            self._readers -= 1
            self._left()

    def stop(self) -> None:
        """Nobody wants it any more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self, record: Record) -> None:
        async with aclosing(self._events) as events:
            async for event in events:
                record.see(event)
                self._tell(event)
                await self.backlog.room()

    def _over(self, task: asyncio.Task[None], record: Record) -> None:
        if not task.cancelled() and (bug := task.exception()):
            log.error("answer %.12s…: a bug", self.id, exc_info=bug)
        record.end()  # before a reader can see the end
        for event in cut_short(self.id, self.backlog.blocks):
            self._tell(event)
        self.backlog.end()
        self._ended()

    def _tell(self, event: Event) -> None:
        self.backlog.append(sse.encode(event, self.backlog.written + 1, self.id))

    def _left(self) -> None:
        if self._readers or self.backlog.ended:
            return
        if not self.grace:
            self.stop()
        else:
            asyncio.get_running_loop().call_later(self.grace, self._stop_unless_read)

    def _stop_unless_read(self) -> None:
        loop = asyncio.get_running_loop()
        if self._readers or self.backlog.ended:
            return
        if loop.time() < self.read_elsewhere_until:
            loop.call_at(self.read_elsewhere_until, self._stop_unless_read)
        else:
            self.stop()
