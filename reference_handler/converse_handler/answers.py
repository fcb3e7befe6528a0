"""Which answers can be read, again or for the first time, and for how long: never a second call of Bedrock.

An answer that is under way is here, and one that is over stays for a while. Who knows its id may read it: the
id is random, and there is no list. Between several instances a `Share` carries what one makes to the others.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from converse_handler.backlog import Backlog
from converse_handler.chat_request import Refused
from converse_handler.conversation import Answer
from converse_handler.generation import Generation
from converse_handler.metrics import Record
from converse_handler.settings import Settings

Blocks = AsyncGenerator[bytes]

CLOSING = 1.0  # seconds that the last copies may take


class Unknown(Refused):
    """There is no such answer, or not any more, or not enough of it is left."""

    def __init__(self) -> None:
        super().__init__(404, "there is no such answer, or it is not kept any more")


class Unreachable(Refused):
    """What the instances share cannot be asked at the moment."""

    def __init__(self) -> None:
        super().__init__(503, "answers of other instances cannot be reached at the moment")


class Seen(Exception):
    """The reader has had all of it."""


class Share(Protocol):
    """What several instances have in common."""

    async def publish(self, generation: Generation) -> None:
        """Show the others this answer as it comes, until it is over; a fault of the share is not raised."""

    async def read(self, answer: str, number: int) -> Blocks:
        """Another instance's answer, the blocks after this one; raises `Unknown`, `Seen`, `Unreachable`."""

    async def stop(self, answer: str) -> None:
        """Ask whichever instance makes this answer to stop; raises `Unreachable`."""

    async def close(self) -> None:
        """Let go of what is shared."""


class Answers:
    """The answers of this instance, and a view of the others'."""

    def __init__(self, settings: Settings, share: Share | None = None) -> None:
        self._settings = settings
        self._share = share
        self._kept: dict[str, Generation] = {}  # the oldest first
        self._publishing: set[asyncio.Task[None]] = set()  # the loop itself holds tasks weakly

    async def begin(self, answer: Answer, record: Callable[[], Record]) -> Blocks:
        """Make this answer; the blocks for its first reader. Nothing begins until they are asked for."""
        settings, id = self._settings, answer.id
        generation = Generation(
            answer,
            record,
            Backlog(settings.resume_events),
            grace=settings.resume_grace,
            ended=lambda: self._forget_later(id),
        )
        self._keep(generation)
        if self._share is not None:
            task = asyncio.create_task(self._share.publish(generation))
            self._publishing.add(task)
            task.add_done_callback(self._publishing.discard)
        async with aclosing(generation.read()) as blocks:
            async for block in blocks:
                yield block

    async def resume(self, answer: str, number: int) -> Blocks:
        """The blocks of an answer after this one; raises `Unknown`, `Seen`, `Unreachable`."""
        generation = self._kept.get(answer)
        if generation is None:
            if self._share is None:
                raise Unknown
            return await self._share.read(answer, number)
        if number < generation.backlog.dropped:
            raise Unknown
        if generation.backlog.ended and number >= generation.backlog.written:
            raise Seen
        return generation.read(number)

    async def stop(self, answer: str) -> None:
        """Stop making this answer, wherever that is; one that is over or unknown needs nothing."""
        if generation := self._kept.get(answer):
            generation.stop()
        elif self._share is not None:
            await self._share.stop(answer)

    async def close(self) -> None:
        """Stop all answers, let the others know, and let go of the share."""
        for generation in self._kept.values():
            generation.stop()
        if self._share is not None:
            if self._publishing:
                await asyncio.wait(self._publishing, timeout=CLOSING)
            await self._share.close()

    def _keep(self, generation: Generation) -> None:
        while len(self._kept) >= self._settings.resume_answers:
            over = (id for id, each in self._kept.items() if each.backlog.ended)
            oldest = self._kept.pop(next(over, next(iter(self._kept))))
            oldest.grace = 0.0  # whoever reads it may read on, but nobody can come back to it
        self._kept[generation.id] = generation

    def _forget_later(self, answer: str) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._settings.resume_window, self._kept.pop, answer, None)
