"""What was told of one answer, kept for its readers: one writer, any number of readers, each at its own pace.

The events are blocks of the stream, numbered from 1. Only the newest `room` of them are kept, so memory is
bounded however long an answer gets; a reader that has fallen further behind has lost the rest.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from itertools import islice

AHEAD = 64  # blocks that may wait for the fastest reader before the writer has to


class Lost(Exception):
    """The next block is not kept any more, or cannot be reached: this reader cannot go on."""


class Backlog:
    """Use it from one event loop."""

    def __init__(self, room: int) -> None:
        self.blocks: deque[bytes] = deque(maxlen=max(room, AHEAD))
        self.written = 0  # the number of the last block
        self.ended = False
        self._readers: dict[object, int] = {}  # how far each has read
        self._changed = asyncio.Event()

    @property
    def dropped(self) -> int:
        """The number of the last block that is not kept any more."""
        return self.written - len(self.blocks)

    def append(self, block: bytes) -> None:
        """The next block."""
        self.blocks.append(block)
        self.written += 1
        self._notify()

    def end(self) -> None:
        """That was all."""
        self.ended = True
        self._notify()

    async def room(self) -> None:
        """Wait until the fastest reader keeps up: a browser that reads slowly slows Bedrock down.

        Without a reader there is nobody to wait for.
        """
        while self._readers and self.written - max(self._readers.values()) >= AHEAD:
            await self._changed.wait()

    async def after(self, number: int) -> list[bytes]:
        """The blocks after this one, at least one; none once the answer is over. Raises `Lost`."""
        while self.written <= number and not self.ended:
            await self._changed.wait()
        if number < self.dropped:
            raise Lost
        return list(islice(reversed(self.blocks), max(0, self.written - number)))[::-1]

    async def follow(self, number: int) -> AsyncGenerator[bytes]:
        """The blocks after this one as they come, until the answer is over; raises `Lost`."""
        reader = object()
        self._readers[reader] = number
        try:
            while blocks := await self.after(number):
                for block in blocks:
                    yield block
                    number += 1
                    self._readers[reader] = number
                    self._notify()
        finally:
            del self._readers[reader]
            self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
