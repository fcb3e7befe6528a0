"""CloudFront in front of an origin, and of another hop: its clocks, and what a GET that waits costs."""

import re
import time

import httpx
import pytest
from converse_hops import CloudFront, LoadBalancer
from converse_hops.http.server import Incoming

from tests.hops.peers import GET, Origin, raw
from tests.hops.proxies.events import ASK, event, rest, streaming


def test_it_passes_what_comes_and_says_that_it_was_there() -> None:
    async def echo(incoming: Incoming) -> None:
        lines = [f"{name}: {value}" for name, value in incoming.headers]
        await incoming.answer(200, [], "\n".join(lines).encode())

    with Origin(echo) as origin, CloudFront(origin) as edge:
        response = httpx.get(edge.url, headers={"last-event-id": "a-1"}, trust_env=False)
    assert response.headers["x-cache"] == "Miss from cloudfront"
    assert re.fullmatch(r"1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)", response.headers["via"])
    assert "last-event-id: a-1" in response.text.lower()
    assert "X-Forwarded-For: 127.0.0.1" in response.text
    assert f"Via: {response.headers['via']}" in response.text


def test_a_silence_between_packets_cuts_the_stream() -> None:
    with (
        Origin(streaming(0, 0.1, 30.0)) as origin,
        CloudFront(origin, speed=30) as edge,
        raw(edge.url, ASK) as connection,
    ):
        answer = rest(connection)
        (cut,) = edge.journal.last.of("cut")
        last = edge.journal.last.of("passed")[-1]
    assert event(2) in answer
    assert not answer.endswith(b"0\r\n\r\n")
    assert cut.detail == "read timeout of 30 s"
    assert cut.at - last.at >= 0.95


def test_a_post_that_waits_in_vain_is_asked_once() -> None:
    with Origin(streaming(late=30.0)) as origin, CloudFront(origin, speed=100) as edge:
        response = httpx.post(edge.url, content=b"{}", trust_env=False, timeout=30)
        assert len(origin.journal) == 1
    assert response.status_code == 504
    assert response.headers["server"] == "CloudFront"
    assert response.headers["x-cache"] == "Error from cloudfront"


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_get_that_waits_in_vain_is_asked_again_and_each_time_a_stream_begins(attempts: int) -> None:
    with (
        Origin(streaming(late=30.0)) as origin,
        CloudFront(origin, connection_attempts=attempts, speed=100) as edge,
    ):
        began = time.monotonic()
        assert httpx.get(edge.url, trust_env=False, timeout=30).status_code == 504
        assert time.monotonic() - began >= attempts * 0.3
        assert len(origin.journal) == attempts
        assert [cut.detail for cut in edge.journal.last.of("cut")][:-1] == [
            f"read timeout of 30 s, attempt {attempt} of {attempts}" for attempt in range(1, attempts)
        ]


def test_the_completion_timeout_ends_a_stream_that_flows() -> None:
    flow = streaming(*[0.02] * 1000)
    with (
        Origin(flow) as origin,
        CloudFront(origin, response_completion_timeout=60, speed=30) as edge,
        raw(edge.url, ASK) as connection,
    ):
        began = time.monotonic()
        answer = rest(connection)
        assert time.monotonic() - began >= 2
        (cut,) = edge.journal.last.of("cut")
    assert event(2) in answer
    assert cut.detail == "completion timeout of 60 s"


def test_an_origin_that_is_not_there_is_502() -> None:
    with CloudFront("http://127.0.0.1:1") as edge:
        assert httpx.get(edge.url, trust_env=False).status_code == 502


def test_in_front_of_a_load_balancer_the_shorter_clock_rules() -> None:
    with (
        Origin(streaming(0, 30.0)) as origin,
        CloudFront(LoadBalancer(origin, speed=30), speed=30) as edge,
        raw(edge.url, GET) as connection,
    ):
        rest(connection)
        assert [cut.detail for cut in edge.journal.last.of("cut")] == ["read timeout of 30 s"]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"origin_read_timeout": 121}, "origin_read_timeout must be 1 to 120 seconds, not 121"),
        (
            {"response_completion_timeout": 29},
            "response_completion_timeout must not be less than origin_read_timeout, 30 seconds; it is 29",
        ),
        ({"connection_attempts": 4}, "connection_attempts must be 1 to 3, not 4"),
    ],
)
def test_what_cannot_be_set(limits: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        CloudFront("http://127.0.0.1:1", **limits)  # type: ignore[arg-type]
