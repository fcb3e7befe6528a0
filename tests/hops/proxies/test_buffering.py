"""A proxy that buffers: what it holds, what makes it let go, and that the journal says where it was held."""

import re

import httpx
import pytest
from converse_hops import BufferingProxy, LoadBalancer
from converse_hops.passage import Passage

from tests.hops.peers import Origin, raw
from tests.hops.proxies.events import ASK, event, rest, seen, streaming

PLAIN = [("Content-Type", "text/event-stream")]
ALL = b"".join(map(event, range(1, 4)))


def pieces(passage: Passage) -> list[int]:
    return [record.size for record in passage.of("passed")]


def test_a_response_that_does_not_object_goes_on_when_all_of_it_is_there() -> None:
    with (
        Origin(streaming(0, 0.1, 0.1, headers=PLAIN)) as origin,
        BufferingProxy(origin) as proxy,
        LoadBalancer(proxy) as balancer,
    ):
        assert httpx.post(balancer.url, content=b"{}", trust_env=False).content == ALL
        held, passed = proxy.journal.last, balancer.journal.last
    assert pieces(held) == [len(ALL)]
    assert len(held.of("received")) == 3
    assert held.of("passed")[0].at >= held.of("received")[-1].at
    assert len(passed.of("received")) == 1  # the next hop shows it, and is not to blame


def test_while_it_buffers_the_journal_shows_what_is_held() -> None:
    with (
        Origin(streaming(0, 60.0, headers=PLAIN)) as origin,
        BufferingProxy(origin) as proxy,
        raw(proxy.url, ASK),
    ):
        proxy.journal.wait(lambda journal: len(journal) == 1 and journal.last.held() == len(event(1)))


def test_a_response_that_objects_passes_and_the_objection_is_not_passed_on() -> None:
    with (
        Origin(streaming(0, 60.0)) as origin,
        BufferingProxy(origin) as proxy,
        raw(proxy.url, ASK) as connection,
    ):
        assert b"accel" not in seen(connection, event(1)).lower()


def test_unless_it_is_told_not_to_look() -> None:
    with Origin(streaming(0, 0.1, 0.1)) as origin, BufferingProxy(origin, ignore_accel=True) as proxy:
        assert httpx.post(proxy.url, content=b"{}", trust_env=False).content == ALL
        assert pieces(proxy.journal.last) == [len(ALL)]


def test_a_buffer_that_is_full_goes_on() -> None:
    with (
        Origin(streaming(0, 0.1, 0.1, headers=PLAIN)) as origin,
        BufferingProxy(origin, size=2 * len(event(1))) as proxy,
    ):
        assert httpx.post(proxy.url, content=b"{}", trust_env=False).content == ALL
        assert pieces(proxy.journal.last) == [2 * len(event(1)), len(event(1))]


def test_what_is_held_when_the_origin_falls_silent_still_goes_out() -> None:
    with (
        Origin(streaming(0, 30.0, headers=PLAIN)) as origin,
        BufferingProxy(origin, speed=200) as proxy,
        raw(proxy.url, ASK) as connection,
    ):
        answer = rest(connection)
    assert event(1) in answer
    assert not answer.endswith(b"0\r\n\r\n")


def test_what_cannot_be_set() -> None:
    with pytest.raises(ValueError, match=re.escape("size must be at least 1 byte, not 0")):
        BufferingProxy("http://127.0.0.1:1", size=0)
