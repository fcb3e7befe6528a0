"""What is kept of outages, and no more."""

import asyncio
from typing import Any

import pytest
from converse_emulator.playing.outages import MOST_CONNECTIONS, MOST_OUTAGES, Met, Outages


class From(asyncio.BaseTransport):
    """A connection from somewhere."""

    def __init__(self, peer: Any) -> None:
        super().__init__({"peername": peer})


CLIENT = From(("127.0.0.1", 50_000))


def test_an_outage_tells_whom_it_befell() -> None:
    outages = Outages()
    outages.begin("reset", 10.0)
    outages.cut(CLIENT)
    outages.meet(From(("::1", 50_001, 0, 0)))
    (outage,) = outages.all()
    assert (outage.how, outage.seconds, outage.ended_at) == ("reset", 10.0, None)
    assert (outage.cut, outage.met) == (1, 1)
    assert [(each.peer, each.what) for each in outage.connections] == [
        ("127.0.0.1:50000", "cut"),
        ("[::1]:50001", "reset"),
    ]
    assert 0 <= outage.connections[0].at <= outage.connections[1].at


def test_who_is_refused_by_the_kernel_is_not_counted_as_nobody() -> None:
    outages = Outages()
    outages.begin("refuse", 10.0)
    assert outages.all()[0].met is None


def test_the_next_one_ends_the_one_before() -> None:
    outages = Outages()
    outages.begin("refuse", 10.0)
    outages.begin("close", 10.0)
    before, now = outages.all()
    assert before.ended_at is not None
    assert before.started_at <= before.ended_at <= now.started_at
    assert now.ended_at is None


def test_without_one_nothing_is_noted() -> None:
    outages = Outages()
    outages.meet(CLIENT)
    outages.cut(CLIENT)
    outages.end()
    assert outages.all() == []


def test_what_is_kept_is_bounded_and_the_rest_is_counted() -> None:
    outages = Outages()
    outages.begin("close", 10.0)
    for _ in range(MOST_CONNECTIONS + 5):
        outages.meet(CLIENT)
    (outage,) = outages.all()
    assert (outage.met, len(outage.connections)) == (MOST_CONNECTIONS + 5, MOST_CONNECTIONS)
    for _ in range(MOST_OUTAGES + 5):
        outages.begin("close", 10.0)
    assert len(outages.all()) == MOST_OUTAGES + 1  # and the one that is on


def test_those_that_are_over_can_be_forgotten() -> None:
    outages = Outages()
    outages.begin("close", 10.0)
    outages.begin("reset", 10.0)
    outages.forget()
    assert [outage.how for outage in outages.all()] == ["reset"]


def test_it_is_json() -> None:
    outages = Outages()
    outages.begin("silent", 1.0)
    outages.meet(From(None))
    told = outages.all()[0].as_json()
    assert told.keys() == {"how", "seconds", "started_at", "ended_at", "cut", "met", "connections"}
    assert told["connections"][0] == {"at": pytest.approx(0, abs=10), "peer": "unknown", "what": "silent"}
    assert outages.all()[0].connections[0].__class__ is Met
