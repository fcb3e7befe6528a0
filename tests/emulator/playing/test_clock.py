"""The clocks: absolute deadlines, one timer for all sleepers, nothing left behind by the cancelled."""

import asyncio
import os
import selectors
import sys
import time
from collections.abc import Callable

import pytest
from converse_emulator.playing.clock import MOST_AT_ONCE, RealClock, VirtualClock
from hypothesis import given
from hypothesis import strategies as st


def test_a_sleeper_never_wakes_early() -> None:
    async def sleep() -> None:
        clock = RealClock()
        for delay in (0.0005, 0.003, 0.011):
            moment = clock.now() + delay
            await clock.sleep_until(moment)
            assert clock.now() >= moment

    asyncio.run(sleep())


def test_a_moment_that_has_passed_is_not_waited_for() -> None:
    async def sleep() -> int:
        clock = RealClock()
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count_turns())
        for _ in range(100):
            await clock.sleep_until(clock.now() - 1)
        counting.cancel()
        return turns

    assert asyncio.run(sleep()) == 0


def test_sleepers_wake_in_the_order_of_their_moments() -> None:
    async def sleep() -> list[int]:
        clock = RealClock()
        start = clock.now() + 0.05
        woken = []

        async def sleeper(number: int) -> None:
            await clock.sleep_until(start + number * 0.002)
            woken.append(number)

        await asyncio.gather(*(sleeper(number) for number in (3, 0, 4, 1, 2)))
        return woken

    assert asyncio.run(sleep()) == [0, 1, 2, 3, 4]


class LateLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes only by waiting, and that wakes a millisecond late every time."""

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())
        self._now = 0.0
        self._selector.select = self._wait  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now

    def _wait(self, timeout: float | None = None) -> list[object]:
        if timeout:
            self._now += timeout + 0.001
        return []


def test_delays_do_not_add_up() -> None:
    """Each of a hundred wake-ups is 1 ms late; the last is as late as the first."""

    async def sleep() -> list[float]:
        clock = RealClock()
        lateness = []
        for number in range(1, 101):
            await clock.sleep_until(number * 0.01)
            lateness.append(clock.now() - number * 0.01)
        return lateness

    with asyncio.Runner(loop_factory=LateLoop) as runner:
        assert runner.run(sleep()) == pytest.approx([0.001] * 100)


def test_a_cancelled_sleeper_does_not_disturb_the_others() -> None:
    async def sleep() -> bool:
        clock = RealClock()
        first = asyncio.create_task(clock.sleep_until(clock.now() + 0.01))
        second = asyncio.create_task(clock.sleep_until(clock.now() + 0.02))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first, second], timeout=5)
        return first.cancelled() and second.done() and not second.cancelled()

    assert asyncio.run(sleep())


def test_cancelled_sleepers_do_not_fill_the_heap() -> None:
    async def sleep() -> int:
        clock = RealClock()
        for _ in range(20):
            sleepers = [asyncio.create_task(clock.sleep_until(clock.now() + 900)) for _ in range(50)]
            await asyncio.sleep(0)
            for sleeper in sleepers:
                sleeper.cancel()
            await asyncio.wait(sleepers)
        return len(clock._waiting)

    assert asyncio.run(sleep()) <= 64


@given(st.lists(st.floats(0, 1e6)))
def test_the_virtual_clock_jumps_and_never_goes_back(moments: list[float]) -> None:
    async def sleep() -> None:
        clock = VirtualClock()
        for moment in moments:
            before = clock.now()
            await clock.sleep_until(moment)
            assert clock.now() == max(before, moment)

    asyncio.run(sleep())


class Calling:
    """A step that is all in one."""

    def __init__(self, step: Callable[[float], float | None]) -> None:
        self._step = step

    def prepare(self, now: float) -> None:
        self.now = now

    def act(self) -> None:
        self._following = self._step(self.now)

    def note(self, now: float) -> float | None:
        assert now >= self.now
        return self._following


class Broken:
    """A step of which a part fails."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._done: list[str] = []

    def prepare(self, now: float) -> None:
        del now
        self._do("prepare")

    def act(self) -> None:
        self._do("act")

    def note(self, now: float) -> float | None:
        del now
        self._do("note")
        return None

    def _do(self, part: str) -> None:
        self._done.append(part)
        assert self._part not in self._done[:-1], "nothing is done after what failed"
        if part == self._part:
            raise ZeroDivisionError


def test_steps_come_at_the_moments_they_ask_for() -> None:
    async def drive() -> list[float]:
        clock = RealClock()
        start = clock.now()
        wanted = iter([start + 0.004, start + 0.0045, start + 0.012])
        late = []
        moment = start + 0.002

        def step(now: float) -> float | None:
            nonlocal moment
            late.append(now - moment)
            following = next(wanted, None)
            moment = following or moment
            return following

        await clock.drive(Calling(step), moment)
        assert 1 <= clock.lateness.number <= 4  # what is overdue is one step
        clock.close()
        return late

    assert all(0 <= seconds < 5 for seconds in asyncio.run(drive()))


def test_a_step_that_is_due_is_taken_at_once_and_waits_for_nobody() -> None:
    async def drive() -> int:
        clock = RealClock()
        taken = 0

        def step(now: float) -> float | None:
            nonlocal taken
            taken += 1
            return now - 1 if taken < 5 else None  # overdue again and again

        await clock.drive(Calling(step), clock.now() - 1)
        assert clock._alarm is None
        return taken

    assert asyncio.run(drive()) == 5


@pytest.mark.parametrize("part", ["prepare", "act", "note"])
def test_a_step_that_fails_fails_for_who_waits_for_it_alone(part: str) -> None:
    async def drive() -> None:
        clock = RealClock()

        moment = clock.now() + 0.005
        results = await asyncio.gather(
            clock.drive(Broken(part), moment), clock.sleep_until(moment + 0.005), return_exceptions=True
        )
        assert isinstance(results[0], ZeroDivisionError)
        assert results[1] is None
        clock.close()

    asyncio.run(drive())


def test_what_is_due_does_not_keep_the_loop_from_its_other_work() -> None:
    """More steps than a turn may take: what else is ready comes after so many, and all are taken."""

    async def drive() -> tuple[int, int]:
        clock = RealClock()
        moment = clock.now() + 0.01
        taken = 0
        meanwhile = -1

        def step(_: float) -> None:
            nonlocal taken
            taken += 1
            if taken == 1:
                asyncio.get_running_loop().call_soon(look)

        def look() -> None:
            nonlocal meanwhile
            meanwhile = taken

        steps = [clock.drive(Calling(step), moment) for _ in range(3 * MOST_AT_ONCE)]
        together = asyncio.gather(*steps)
        await asyncio.sleep(0)
        time.sleep(0.02)  # noqa: ASYNC251  all are due when the loop looks again
        await together
        clock.close()
        return meanwhile, taken

    assert asyncio.run(drive()) == (MOST_AT_ONCE, 3 * MOST_AT_ONCE)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no such alarm")
def test_the_kernels_alarm_is_to_the_microsecond_and_leaves_no_file_open() -> None:
    async def sleep() -> float:
        before = len(os.listdir("/proc/self/fd"))
        clock = RealClock()
        late = []
        for _ in range(20):
            moment = clock.now() + 0.002
            await clock.sleep_until(moment)
            late.append(clock.now() - moment)
        assert type(clock._alarm).__name__ == "_KernelAlarm"
        clock.close()
        assert len(os.listdir("/proc/self/fd")) == before
        return min(late)

    assert 0 <= asyncio.run(sleep()) < 0.0009  # the loop's own timer is half a millisecond late at best
