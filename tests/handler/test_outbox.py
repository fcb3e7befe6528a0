"""What waits for a slow transport: joined, bounded, complete and in order."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import groupby
from typing import Any

from converse_handler.events import BlockStarted, BlockStopped, Event, Started, Text, Thinking
from converse_handler.outbox import MOST, ROOM, Outbox, join, pieces
from hypothesis import given
from hypothesis import strategies as st

Virtually = Callable[[Coroutine[Any, Any, Any]], Any]

EVENTS = st.lists(
    st.one_of(
        st.builds(Text, st.integers(0, 2), st.text(min_size=1, max_size=9)),
        st.builds(Thinking, st.integers(0, 2), st.text(min_size=1, max_size=9)),
        st.builds(BlockStarted, st.integers(0, 2), st.just("text")),
        st.builds(BlockStopped, st.integers(0, 2)),
    )
)


def told(events: list[Event]) -> list[Any]:
    """What a reader knows afterwards: the same however the deltas were cut."""
    runs = groupby(events, key=lambda each: (type(each), getattr(each, "index", 0)))
    return [
        (kind, "".join(each.text for each in run if isinstance(each, Text | Thinking)))
        if kind[0] in (Text, Thinking)
        else (kind, len(list(run)))
        for kind, run in runs
    ]


@given(EVENTS, st.integers(0, 30))
def test_nothing_is_lost_and_nothing_overtakes(events: list[Event], start: int) -> None:
    async def run() -> list[Event]:
        outbox = Outbox()
        taken: list[Event] = []

        async def put() -> None:
            for event in events:
                outbox.put(event)
                await asyncio.sleep(0)
            outbox.put(Started("end"))

        putting = asyncio.create_task(put())
        for _ in range(start):
            await asyncio.sleep(0)
        while (event := await outbox.take()) != Started("end"):
            taken.append(event)
        await putting
        return taken

    assert told(asyncio.run(run())) == told(events)


def test_deltas_that_pile_up_are_joined() -> None:
    assert join(Text(0, "a"), Text(0, "b")) == Text(0, "ab")
    assert join(Thinking(1, "a"), Thinking(1, "b")) == Thinking(1, "ab")
    assert join(Text(0, "a"), Text(1, "b")) is None
    assert join(Text(0, "a"), Thinking(0, "b")) is None
    assert join(Started("m"), Text(0, "b")) is None
    assert join(Text(0, "a" * MOST), Text(0, "b")) is None


def test_a_long_delta_is_cut() -> None:
    text = "abc" * MOST
    cut = list(pieces(Text(0, text)))
    assert {len(each.text) for each in cut if isinstance(each, Text)} == {MOST}
    assert "".join(each.text for each in cut if isinstance(each, Text)) == text
    assert list(pieces(BlockStopped(0))) == [BlockStopped(0)]


def test_the_model_waits_when_there_is_no_room(virtually: Virtually) -> None:
    async def run() -> int:
        outbox = Outbox()
        put = 0

        async def fill() -> None:
            nonlocal put
            for number in range(2 * ROOM):
                await outbox.room()
                outbox.put(BlockStopped(number))
                put += 1

        filling = asyncio.create_task(fill())
        await asyncio.sleep(1)
        assert put == ROOM
        assert [await outbox.take() for _ in range(2 * ROOM)] == [
            BlockStopped(number) for number in range(2 * ROOM)
        ]
        await filling
        return put

    assert virtually(run()) == 2 * ROOM
