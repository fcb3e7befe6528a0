"""Time as a parameter: the loop's own clock for serving, a jumping one for tests.

Deadlines are absolute, so delays never add up: a sleeper that wakes late is late once, not ever after.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import NamedTuple, Protocol

from converse_emulator.playing.alarm import Alarm, alarm, time_of
from converse_emulator.playing.lateness import Lateness
from converse_emulator.playing.step import Step, take

MOST_AT_ONCE = 64  # steps in a turn of the loop: who comes meanwhile is not kept waiting by who is served


class _Waiting(NamedTuple):
    """Who waits, in the order of the heap: by moments, of equal ones who came first."""

    moment: float
    order: int
    step: Step | None  # None: it only sleeps
    done: "asyncio.Future[None]"


class Clock(Protocol):
    """Monotonic seconds, and ways to wait for a moment of them."""

    def now(self) -> float: ...

    async def sleep_until(self, moment: float) -> None:
        """Return at `moment` or later; at once if it has passed."""

    async def drive(self, step: Step, moment: float) -> None:
        """Take `step` at `moment` or later, and at the moments that it notes; return after the last."""


class RealClock:
    """The clock of one event loop. One heap and one alarm wake all that wait."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._order = itertools.count()  # of those with the same moment
        self._alarm: Alarm | None = None
        self._time: Callable[[], float] | None = None  # the loop's, once it is known
        self._set_to = float("inf")  # the moment of the alarm
        self._abandoned = 0  # that were cancelled and are still on the heap
        self.lateness = Lateness()  # of the steps that were waited for

    def now(self) -> float:
        if self._time is None:
            self._time = time_of(asyncio.get_running_loop())
        return self._time()

    async def sleep_until(self, moment: float) -> None:
        if moment > self.now():
            await self._wait(None, moment)

    async def drive(self, step: Step, moment: float) -> None:
        following: float | None = moment
        while following is not None and following <= (now := self.now()):
            take(step, now)
            following = step.note(self.now())
        if following is not None:
            await self._wait(step, following)

    def close(self) -> None:
        """Nobody waits any more, and the loop is about to end."""
        if self._alarm is not None:
            self._alarm.close()
        self._alarm, self._time, self._set_to = None, None, float("inf")
        self._waiting.clear()

    async def _wait(self, step: Step | None, moment: float) -> None:
        done = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiting(moment, next(self._order), step, done))
        if moment < self._set_to:
            self._set(moment)
        try:
            await done
        except asyncio.CancelledError:
            self._abandon()
            raise

    def _set(self, moment: float) -> None:
        if self._alarm is None:
            self._alarm = alarm(self._ring)
        self._set_to = moment
        self._alarm.set(moment)

    def _ring(self) -> None:
        now = self.now()
        self._together(self._due(now), now)
        self._set_to = float("inf")
        if self._waiting:
            self._set(self._waiting[0].moment)

    def _due(self, now: float) -> list[tuple[_Waiting, Step]]:
        """Those whose moment has come, off the heap, as many as one turn of the loop may take; who only slept
        is woken."""
        due: list[tuple[_Waiting, Step]] = []
        waiting = self._waiting
        while waiting and waiting[0].moment <= now and len(due) < MOST_AT_ONCE:
            each = heapq.heappop(waiting)
            if each.done.done():
                self._abandoned -= 1
            elif each.step is None:
                each.done.set_result(None)
            else:
                due.append((each, each.step))
        return due

    def _together(self, due: list[tuple[_Waiting, Step]], now: float) -> None:
        """Take the steps, part by part."""
        for each, step in due:
            try:
                step.prepare(now)
            except Exception as error:
                each.done.set_exception(error)
        time, acted = self._time or self.now, []
        for each, step in due:
            if not each.done.done():
                try:
                    step.act()
                except Exception as error:
                    each.done.set_exception(error)
            acted.append(time())
        for (each, step), at in zip(due, acted, strict=True):
            if each.done.done():
                continue
            self.lateness.add(at - each.moment)
            try:
                following = step.note(at)
            except Exception as error:
                each.done.set_exception(error)
                continue
            if following is None:
                each.done.set_result(None)
            else:
                heapq.heappush(self._waiting, _Waiting(following, each.order, step, each.done))

    def _abandon(self) -> None:
        """Keep the cancelled from filling the heap: a client may leave long before its next moment."""
        self._abandoned += 1
        if 2 * self._abandoned > len(self._waiting) > 64:
            self._waiting = [entry for entry in self._waiting if not entry.done.done()]
            heapq.heapify(self._waiting)
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

    async def drive(self, step: Step, moment: float) -> None:
        following: float | None = moment
        while following is not None:
            await self.sleep_until(following)
            take(step, self._now)
            following = step.note(self._now)
