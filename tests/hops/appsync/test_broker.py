"""Subscriptions, rates, and a network that loses and overtakes."""

from collections.abc import Callable
from random import Random

import pytest
from converse_hops.appsync.broker import Broker, Disorder
from converse_hops.appsync.channels import Channel
from converse_hops.appsync.errors import EventsError
from converse_hops.appsync.limits import Limits, Rate
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def broker() -> Broker:
    return Broker(frozenset({"default", "chat"}), Limits(subscriptions=2))


def refused(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(EventsError) as error:
        act()
    return error.value.kind.type, str(error.value)


def test_events_go_to_every_subscription_that_covers_the_channel(broker: Broker) -> None:
    one, every = Channel.read("/chat/a"), Channel.read("/chat/*", wildcard=True)
    broker.subscribe(1, "x", one)
    broker.subscribe(1, "y", every)
    broker.subscribe(2, "x", every)
    assert set(broker.listeners(one)) == {(1, "x"), (1, "y"), (2, "x")}
    assert set(broker.listeners(Channel.read("/chat/b"))) == {(1, "y"), (2, "x")}
    broker.unsubscribe(1, "y")
    broker.leave(2)
    assert set(broker.listeners(one)) == {(1, "x")}
    assert refused(lambda: broker.unsubscribe(1, "y")) == ("UnknownOperationError", "Unknown operation id y")


def test_an_id_is_used_once_and_subscriptions_are_counted(broker: Broker) -> None:
    broker.subscribe(1, "x", Channel.read("/chat/a"))
    assert refused(lambda: broker.check(1, "x"))[0] == "DuplicatedOperationError"
    broker.check(2, "x")
    broker.subscribe(1, "y", Channel.read("/chat/a"))
    assert refused(lambda: broker.check(1, "z"))[1] == "Max number of 2 subscriptions reached"


def test_a_namespace_must_be_there(broker: Broker) -> None:
    assert broker.channel("chat/x").namespace == "chat"
    assert refused(lambda: broker.channel("/elsewhere/x")) == (
        "NotFoundException",
        "there is no channel namespace elsewhere; there is chat, default",
    )


@pytest.mark.parametrize("events", [None, [], "1", ["1"] * 6, [1], [""], ["{"], ["1", "nope"], [{"a": 1}]])
def test_what_is_no_list_of_events(broker: Broker, events: object) -> None:
    assert refused(lambda: broker.events(events))[0] == "BadRequestException"


def test_one_to_five_texts_of_json_are(broker: Broker) -> None:
    assert broker.events(["1"]) == ("1",)
    assert broker.events(['"a"', "null", '{"b": []}', "[]", "1.5"])[2] == '{"b": []}'


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(1, 10))
def test_no_span_has_more_than_the_rate(gaps: list[float], most: int) -> None:
    rate, now, passed = Rate(most, span=1.0), 0.0, []
    for gap in gaps:
        now += gap
        if rate.admit(now):
            passed.append(now)
        else:
            assert len([each for each in passed if each > now - 1.0]) == most
    for start in passed:
        assert len([each for each in passed if start <= each < start + 1.0]) <= most


EVENTS = [str(number) for number in range(200)]


def through(drop: float, reorder: float, seed: int) -> list[str]:
    way = Disorder(drop, reorder, Random(seed))
    return [each for event in EVENTS for each in way.feed(event)] + way.flush()


@given(st.integers())
def test_nothing_is_lost_by_overtaking_alone(seed: int) -> None:
    got = through(0.0, 0.3, seed)
    assert sorted(got, key=int) == EVENTS
    assert got != EVENTS
    assert all(abs(int(event) - place) <= 1 for place, event in enumerate(got))


@given(st.integers())
def test_chances_are_drawn_from_the_seed(seed: int) -> None:
    assert through(0.0, 0.0, seed) == EVENTS
    assert through(1.0, 0.5, seed) == []
    some = through(0.2, 0.0, seed)
    assert 0 < len(some) < len(EVENTS)
    assert some == through(0.2, 0.0, seed)
    assert some == sorted(some, key=int)
