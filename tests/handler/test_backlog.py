"""The events of one answer for many readers, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from converse_handler.backlog import AHEAD, Backlog, Lost
from hypothesis import given
from hypothesis import strategies as st

Virtually = Callable[[Coroutine[Any, Any, Any]], Any]


def block(number: int) -> bytes:
    return str(number).encode()


def filled(count: int, room: int = 1000, ended: bool = True) -> Backlog:
    backlog = Backlog(room)
    for number in range(1, count + 1):
        backlog.append(block(number))
    if ended:
        backlog.end()
    return backlog


async def read(backlog: Backlog, after: int) -> list[int]:
    return [int(each) async for each in backlog.follow(after)]


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_reader_gets_what_comes_after_the_last_it_has(count: int, after: int) -> None:
    assert asyncio.run(read(filled(count), after)) == list(range(after + 1, count + 1))


def test_readers_get_what_is_kept_and_then_what_comes(virtually: Virtually) -> None:
    async def main() -> list[list[int]]:
        backlog = filled(3, ended=False)
        readers = [asyncio.create_task(read(backlog, after)) for after in (0, 2, 3)]
        for number in (4, 5):
            await asyncio.sleep(1)
            backlog.append(block(number))
        backlog.end()
        return await asyncio.gather(*readers)

    assert virtually(main()) == [[1, 2, 3, 4, 5], [3, 4, 5], [4, 5]]


def test_only_the_newest_are_kept_and_who_is_further_behind_is_told(virtually: Virtually) -> None:
    backlog = filled(3 * AHEAD, room=AHEAD)
    assert len(backlog.blocks) == AHEAD
    assert backlog.dropped == 2 * AHEAD
    assert virtually(read(backlog, 2 * AHEAD)) == list(range(2 * AHEAD + 1, 3 * AHEAD + 1))
    with pytest.raises(Lost):
        virtually(read(backlog, 2 * AHEAD - 1))


def test_the_writer_waits_for_the_fastest_reader_and_for_nobody_without_one(virtually: Virtually) -> None:
    async def main() -> None:
        backlog = filled(2 * AHEAD, ended=False)
        await backlog.room()
        slow, fast = backlog.follow(0), backlog.follow(0)
        await anext(slow)
        waiting = asyncio.create_task(backlog.room())
        for _ in range(AHEAD + 1):
            assert not waiting.done()
            await anext(fast)  # a block counts as read when the next one is asked for
        assert not waiting.done()
        await anext(fast)
        await waiting
        await fast.aclose()
        again = asyncio.create_task(backlog.room())
        await asyncio.sleep(1)
        assert not again.done()
        await slow.aclose()
        await again

    virtually(main())
