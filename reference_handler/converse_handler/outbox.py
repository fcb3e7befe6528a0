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
    """One task puts, another one takes."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._changed = asyncio.Condition()

    async def put(self, event: Event) -> None:
        """Leave an event; waits while there is no room. Cancelled, it leaves it or not, whole."""
        for piece in pieces(event):
            async with self._changed:
                joined = self._waiting and join(self._waiting[-1], piece)
                if joined:
                    self._waiting[-1] = joined
                    continue
                await self._changed.wait_for(lambda: len(self._waiting) < ROOM)
                self._waiting.append(piece)
                self._changed.notify_all()

    async def take(self) -> Event:
        """The next event, once there is one. Safe to cancel."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting)
            self._changed.notify_all()
            return self._waiting.popleft()


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
