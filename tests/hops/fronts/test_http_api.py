"""HTTP APIs: whatever the function does, everything comes at the end, or 30 s are over."""

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from converse_hops import Function, HttpApi

from tests.hops.functions.by_hand import Runtime
from tests.hops.peers import raw, until

Scripted = Callable[..., Function]
SSE = {"statusCode": 200, "headers": {"content-type": "text/event-stream"}}


def ask(function: Function, script: object, **options: Any) -> httpx.Response:
    with HttpApi(function, **options) as api:
        return httpx.post(f"{api.url}/chat", json=script, timeout=30)


def test_a_stream_is_held_back_to_its_end(by_hand: Function) -> None:
    """The mistake that is easy to make: nothing arrives while the function streams, and all of it at once."""
    with HttpApi(by_hand) as api, raw(api.url, b"GET /chat HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        stream = runtime.stream(metadata=SSE)
        for number in range(5):
            stream.write(f"data: {number}\n\n".encode())
        by_hand.journal.wait(lambda journal: journal.last.total("received") > 45)
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        function = by_hand.journal.last
        assert (function.total("passed"), function.held() > 45) == (0, True)  # here it is held
        connection.settimeout(30)
        stream.end()
        got = until(connection, b"data: 4\n\n")
    assert got.count(b"data: ") == 5
    assert b"Content-Length: 45\r\n" in got
    assert b"Content-Type: text/event-stream\r\n" in got


def test_a_stream_without_prelude_comes_at_its_end_too(scripted: Scripted) -> None:
    response = ask(scripted(), {"chunks": ["a", "b"]})
    assert (response.text, response.headers["content-type"]) == ("ab", "application/octet-stream")


def test_a_stream_may_be_an_error_instead(scripted: Scripted) -> None:
    response = ask(scripted(), {"metadata": SSE, "chunks": ["x"]}, on_stream="error")
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_an_ordinary_answer_is_a_response(scripted: Scripted) -> None:
    response = ask(scripted(), {"return": {"statusCode": 201, "headers": {"X-Mine": "1"}, "body": "hi"}})
    assert (response.status_code, response.text, response.headers["x-mine"]) == (201, "hi", "1")
    assert len(response.headers["apigw-requestid"]) == 16
    assert ask(scripted(), {"return": {"a": 1}}).json() == {"a": 1}


def test_a_function_that_fails_is_a_500(scripted: Scripted) -> None:
    response = ask(scripted(), {"throw": "boom"})
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_30_seconds_are_all_there_is(by_hand: Function) -> None:
    began = time.monotonic()
    with HttpApi(by_hand, speed=100) as api:
        response = httpx.get(api.url, timeout=30)
    assert (response.status_code, response.json()) == (503, {"message": "Service Unavailable"})
    assert time.monotonic() - began >= 0.29
    assert api.journal.last.of("cut")[0].detail == "integration timeout of 30 s"


@pytest.mark.parametrize("timeout", [0.01, 31])
def test_the_timeout_has_bounds(timeout: float) -> None:
    with pytest.raises(ValueError, match=r"timeout is from 0\.05 to 30 s"):
        HttpApi("http://127.0.0.1:1", timeout=timeout)


def test_the_event_is_of_format_2_with_an_account(by_hand: Function) -> None:
    events: list[Any] = []

    def play() -> None:
        runtime = Runtime(by_hand.runtime_api)
        events.append(runtime.next())
        runtime.respond(b'"ok"')

    playing = threading.Thread(target=play)
    playing.start()
    with HttpApi(by_hand) as api:
        assert httpx.get(f"{api.url}/chat").text == "ok"
    playing.join()
    (event,) = events
    assert (event["version"], event["rawPath"]) == ("2.0", "/chat")
    assert event["requestContext"]["accountId"] == "123456789012"
    assert event["requestContext"]["domainName"].endswith(".execute-api.us-east-1.amazonaws.com")
