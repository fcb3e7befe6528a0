"""Invocations that wait for a runtime, the oldest first."""

import asyncio
from collections import deque

from converse_hops.functions.invocation import Invocation


class Backlog:
    """Used in one loop only."""

    def __init__(self) -> None:
        self._waiting: deque[Invocation] = deque()
        self._news = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, invocation: Invocation) -> None:
        """At the end."""
        async with self._news:
            self._waiting.append(invocation)
            self._news.notify_all()  # one that is just being cancelled would lose it

    async def put_back(self, invocation: Invocation) -> None:
        """At the front: the runtime that took it is dead."""
        async with self._news:
            self._waiting.appendleft(invocation)
            self._news.notify_all()

    async def take(self) -> Invocation:
        """The oldest, once there is one."""
        async with self._news:
            await self._news.wait_for(lambda: self._waiting)
            return self._waiting.popleft()

    def oldest(self) -> Invocation | None:
        """The oldest, if there is one; it waits no longer."""
        return self._waiting.popleft() if self._waiting else None
