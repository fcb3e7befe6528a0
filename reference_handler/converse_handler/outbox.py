"""Events that wait for a transport slower than the model: text that piles up is joined, and it is bounded.

A push costs a round trip, and a model says eighty words a second. So while one push is under way the deltas
that follow become one; nothing is lost and nothing overtakes, there are only fewer and longer deltas.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from converse_handler.events import Event, Text, Thinking

MOST = 8_000  # characters of a delta: as JSON at most 48 KB, which every transport takes
ROOM = 64  # events that may wait before the model has to


class Outbox:
    """One task puts, and waits for room before it goes on; another one takes."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._filled, self._emptied = asyncio.Event(), asyncio.Event()

    def put(self, event: Event) -> None:
        """Leave an event."""
        for piece in pieces(event):
            joined = join(self._waiting[-1], piece) if self._waiting else None
            if joined is None:
                self._waiting.append(piece)
            else:
                self._waiting[-1] = joined
        self._filled.set()

    async def room(self) -> None:
        """Wait until there is room for more."""
        while len(self._waiting) >= ROOM:
            self._emptied.clear()
            await self._emptied.wait()

    async def take(self) -> Event:
        """The next event, once there is one. Safe to cancel."""
        (event,) = await self.take_some(1)
        return event

    async def take_some(self, most: int) -> list[Event]:
        """The events that wait, at most so many, once there is one. Safe to cancel."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        self._emptied.set()
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]


def join(before: Event, event: Event) -> Event | None:
    """Two deltas as one; None if they are no deltas of the same block, or too much for one."""
    match before, event:
        case (Text(index, text), Text(same, more)) if same == index and len(text) + len(more) <= MOST:
            return Text(index, text + more)
        case (Thinking(index, text), Thinking(same, more)) if same == index and len(text) + len(more) <= MOST:
            return Thinking(index, text + more)
    return None


def pieces(event: Event) -> Iterator[Event]:
    """The event, or several of them if its text is too long for one."""
    if isinstance(event, Text | Thinking) and len(event.text) > MOST:
        for start in range(0, len(event.text), MOST):
            yield replace(event, text=event.text[start : start + MOST])
    else:
        yield event
