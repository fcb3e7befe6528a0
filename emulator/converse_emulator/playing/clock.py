"""Time as a parameter: the loop's own clock for serving, a jumping one for tests.

Deadlines are absolute, so delays never add up: a sleeper that wakes late is late once, not ever after.
"""

import asyncio
import heapq
import itertools
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds, and a way to wait for a moment of them."""

    def now(self) -> float: ...

    async def sleep_until(self, moment: float) -> None:
        """Return at `moment` or later; at once if it has passed."""


class RealClock:
    """The clock of one event loop. One heap and one timer of the loop wake all its sleepers."""

    def __init__(self) -> None:
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()  # of sleepers with the same moment
        self._timer: asyncio.TimerHandle | None = None
        self._abandoned = 0  # sleepers that were cancelled and are still on the heap

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep_until(self, moment: float) -> None:
        if moment <= self.now():
            return
        sleeper = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (moment, next(self._order), sleeper))
        if self._sleepers[0][2] is sleeper:
            self._arm()
        try:
            await sleeper
        except asyncio.CancelledError:
            self._abandon()
            raise

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self._sleepers[0][0], self._wake)

    def _wake(self) -> None:
        self._timer = None
        now = self.now()
        while self._sleepers and self._sleepers[0][0] <= now:
            _, _, sleeper = heapq.heappop(self._sleepers)
            if sleeper.done():
                self._abandoned -= 1
            else:
                sleeper.set_result(None)
        if self._sleepers:
            self._arm()

    def _abandon(self) -> None:
        """Keep the cancelled from filling the heap: a client may leave long before its next moment."""
        self._abandoned += 1
        if 2 * self._abandoned > len(self._sleepers) > 64:
            self._sleepers = [entry for entry in self._sleepers if not entry[2].done()]
            heapq.heapify(self._sleepers)
            self._abandoned = 0


class VirtualClock:
    """A clock for tests: it jumps to the moment that somebody waits for."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    async def sleep_until(self, moment: float) -> None:
        self._now = max(self._now, moment)
        await asyncio.sleep(0)  # others run at every moment, as they would in real time
