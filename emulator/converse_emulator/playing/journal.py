"""The ground truth of what happened: the last exchanges, kept in memory, oldest dropped first.

Used in the loop of the plays only; other threads come in through `Server.call`.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from converse_emulator.choosing.request import Request
from converse_emulator.playing.acts import Ended
from converse_emulator.playing.outages import Outages
from converse_emulator.playing.recording import Recording

MOST_EXCHANGES = 1000
MOST_BYTES = 67_108_864  # of their bodies, 64 MiB; the newest exchange is kept whatever its size


class Journal:
    """The last exchanges of all sessions, and the server's last outages."""

    def __init__(self) -> None:
        self.outages = Outages()
        self._recordings: deque[Recording] = deque()
        self._size = 0
        self._next = 1
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False

    @property
    def number(self) -> int:
        """How many exchanges there have been."""
        return self._next - 1

    def open(self, request: Request, size: int, origin: float) -> Recording:
        """Begin the recording of an exchange; `size` is the length of the request's body."""
        recording = Recording(self._next, request, origin, self.grow, self.changed)
        self._next += 1
        self._recordings.append(recording)
        self.grow(recording, size)
        self.changed()
        return recording

    def grow(self, recording: Recording, size: int) -> None:
        """Note so many bytes more of an exchange; the oldest exchanges make room for them."""
        recording.size += size
        self._size += size
        while len(self._recordings) > 1 and self._full():
            self._size -= self._recordings.popleft().size

    def _full(self) -> bool:
        return len(self._recordings) > MOST_EXCHANGES or self._size > MOST_BYTES

    def recordings(self, session: str | None = None, after: int = 0) -> list[Recording]:
        """Oldest first; of one session or of all, with ids beyond `after`."""
        return [
            recording
            for recording in self._recordings
            if recording.id > after and session in (None, recording.session)
        ]

    async def wait(self, ready: Callable[[], bool], patience: float) -> bool:
        """Wait until `ready`, looked at whenever an exchange begins or ends; false if it is not in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not ready() and not self._closed:
                    await self._change()
        return ready()

    async def _change(self) -> None:
        change = asyncio.get_running_loop().create_future()
        self._waiting.add(change)
        try:
            await change
        finally:
            self._waiting.discard(change)

    def forget(self, session: str | None = None) -> None:
        """Drop the exchanges of one session, or all, and the outages with them; ids go on."""
        if session is None:
            self.outages.forget()
        kept = [] if session is None else [each for each in self._recordings if each.session != session]
        self._recordings = deque(kept)
        self._size = sum(recording.size for recording in kept)

    def close(self, now: float) -> None:
        """Nothing more will happen: what is open was stopped, and nobody needs to wait."""
        self._closed = True
        self.end("stopped", now)

    def end(self, how: Ended, now: float) -> None:
        """The exchanges that are open end so."""
        for recording in self._recordings:
            recording.ended(how, now - recording.origin)
        self.changed()

    def changed(self) -> None:
        """Let those who wait look again."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
