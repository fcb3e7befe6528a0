"""`Expect: 100-continue`: who waits for the word before the body gets it, or in an outage does not."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from converse_emulator import Emulator

from tests.h2_client import H2Client, Stream, h2_client

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
PATH = f"/model/{MODEL}/converse"
MESSAGES = [{"role": "user", "content": [{"text": "Hi"}]}]
BODY = json.dumps({"messages": MESSAGES}).encode()
LONG = 60.0  # seconds
BOTOCORE_WAITS = 1.0  # seconds, then it sends the body all the same


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        running.play("Hello")
        yield running


@pytest.fixture
def withheld(emulator: Emulator) -> Emulator:
    emulator.outage("100-continue", LONG)
    return emulator


class Waiting:
    """A request over HTTP/1.1 whose body is still to come."""

    def __init__(self, emulator: Emulator, path: str = PATH, body: bytes = BODY, **headers: str) -> None:
        self._body = body
        self._connection = http.client.HTTPConnection(urlsplit(emulator.endpoint_url).netloc, timeout=10)
        self._connection.putrequest("POST", path)
        self._connection.putheader("Content-Length", str(len(body)))
        self._connection.putheader("Expect", "100-continue")
        for name, value in headers.items():
            self._connection.putheader(name, value)
        self._connection.endheaders()
        self.socket = self._connection.sock

    def answer(self) -> tuple[int, str]:
        """Once the body is sent. Interim responses are read over by `http.client`."""
        self._connection.send(self._body)
        response = self._connection.getresponse()
        body = json.load(response)
        self._connection.close()
        return response.status, body["output"]["message"]["content"][0]["text"]


def wait_over_http2(client: H2Client, path: str = PATH) -> Stream:
    return client.request(path, None, expect="100-continue", **{"content-length": str(len(BODY))})


def text_of(stream: Stream) -> str:
    return str(json.loads(bytes(stream.body))["output"]["message"]["content"][0]["text"])


def test_the_word_comes_before_the_body(emulator: Emulator) -> None:
    request = Waiting(emulator)
    assert request.socket.recv(100, socket.MSG_PEEK) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert request.answer() == (200, "Hello")


def test_it_may_be_withheld(withheld: Emulator) -> None:
    request = Waiting(withheld)
    request.socket.settimeout(0.5)
    with pytest.raises(TimeoutError):
        request.socket.recv(100)
    request.socket.settimeout(10)
    assert request.answer() == (200, "Hello")


def test_on_http2_the_word_comes_before_the_body(emulator: Emulator) -> None:
    with h2_client(emulator.endpoint_url) as client:
        stream = wait_over_http2(client)
        client.until(lambda: stream.interim)
        client.write(stream, BODY, last=True)
        client.until(lambda: stream.end)
    assert (stream.interim, stream.status, text_of(stream)) == ([100], 200, "Hello")


def test_on_http2_it_may_be_withheld(withheld: Emulator) -> None:
    with h2_client(withheld.endpoint_url) as client:
        stream = wait_over_http2(client)
        client.wait_at_most(0.5)
        with pytest.raises(TimeoutError):
            client.until(lambda: stream.interim)
        client.wait_at_most(10)
        client.write(stream, BODY, last=True)
        client.until(lambda: stream.end)
    assert (stream.interim, stream.status, text_of(stream)) == ([], 200, "Hello")


def test_on_http2_nobody_is_told_who_does_not_wait(emulator: Emulator) -> None:
    with h2_client(emulator.endpoint_url) as client:
        stream = client.request(PATH, BODY, expect="100-continue")
        unserved = wait_over_http2(client, "/model/x/unknown")
        client.until(lambda: stream.end and unserved.end)
    assert (stream.interim, stream.status) == ([], 200)
    assert (unserved.interim, unserved.status) == ([], 404)


@pytest.mark.parametrize("withhold", [False, True])
def test_botocore_waits_for_the_word_and_then_no_longer(emulator: Emulator, withhold: bool) -> None:
    """It does for uploads to S3; the header can be added to any call."""
    if withhold:
        emulator.outage("100-continue", LONG)
    client = emulator.client(config=Config(retries={"total_max_attempts": 1}))

    def expect(params: dict[str, Any], **_: object) -> None:
        params["headers"]["Expect"] = "100-continue"

    client.meta.events.register("before-call.bedrock-runtime.Converse", expect)
    begun = time.monotonic()
    answer = client.converse(modelId=MODEL, messages=MESSAGES)
    took = time.monotonic() - begun
    assert answer["output"]["message"]["content"] == [{"text": "Hello"}]
    assert emulator.journal.last.request["headers"]["expect"] == "100-continue"
    assert took >= BOTOCORE_WAITS or not withhold


def test_what_runs_when_it_ends_goes_on(emulator: Emulator) -> None:
    emulator.session("default").reset()
    emulator.play([{"text": "Hello, "}, {"wait": "1s"}, {"text": "again"}])
    emulator.outage("100-continue", 0.3)
    stream = emulator.client().converse_stream(modelId=MODEL, messages=MESSAGES)["stream"]
    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in stream if "contentBlockDelta" in event]
    assert "".join(deltas) == "Hello, again"
    assert len(emulator.journal) == 1


# ------------------------------------------------------------------- a scenario withholds it


def hears_nothing(request: Waiting) -> bool:
    request.socket.settimeout(0.3)
    try:
        return not request.socket.recv(100, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        request.socket.settimeout(10)


WITHHELD = [{"head": {"continue": "withheld"}}, {"text": "Hello"}]
RENEWS = "Your subscription renews on 1 March."


def test_the_scenario_of_the_path_withholds_it(emulator: Emulator) -> None:
    request = Waiting(emulator, f"/session/other/scenario/connection/no-continue{PATH}")
    assert hears_nothing(request)
    assert request.answer() == (200, RENEWS)
    assert emulator.session("other").journal.last.scenario == "connection/no-continue"


def test_the_scenario_of_the_header_withholds_it(emulator: Emulator) -> None:
    request = Waiting(emulator, PATH, BODY, **{"x-converse-scenario": "connection/no-continue"})
    assert hears_nothing(request)
    assert request.answer() == (200, RENEWS)


def test_what_is_armed_next_withholds_it_and_what_comes_then_does_not(emulator: Emulator) -> None:
    emulator.reset()
    emulator.play(WITHHELD)
    emulator.play("Again")
    first = Waiting(emulator)
    assert hears_nothing(first)
    assert first.answer() == (200, "Hello")
    second = Waiting(emulator)
    assert second.socket.recv(100, socket.MSG_PEEK) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert second.answer() == (200, "Again")
    assert [exchange.acts[0].injected for exchange in emulator.journal] == [True, False]


def test_on_http2_a_scenario_withholds_it_for_its_own_stream(emulator: Emulator) -> None:
    with h2_client(emulator.endpoint_url) as client:
        stream = wait_over_http2(client, f"/session/other/scenario/connection/no-continue{PATH}")
        other = wait_over_http2(client)
        client.until(lambda: other.interim)
        assert stream.interim == []
        client.write(stream, BODY, last=True)
        client.write(other, BODY, last=True)
        client.until(lambda: stream.end and other.end)
    assert (stream.interim, stream.status, text_of(stream)) == ([], 200, RENEWS)
    assert (other.interim, text_of(other)) == ([100], "Hello")


def test_a_marker_comes_too_late_to_withhold_it(emulator: Emulator) -> None:
    """It is in the body, for which the word is said."""
    emulator.reset()
    said = [{"role": "user", "content": [{"text": "[[scenario: connection/no-continue]]"}]}]
    request = Waiting(emulator, body=json.dumps({"messages": said}).encode())
    assert request.socket.recv(100, socket.MSG_PEEK) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert request.answer() == (200, RENEWS)


def test_who_does_not_wait_notices_nothing(emulator: Emulator) -> None:
    client = emulator.client(retries={"total_max_attempts": 1})
    emulator.reset()
    emulator.play(WITHHELD)
    answer = client.converse(modelId=MODEL, messages=MESSAGES)
    assert answer["output"]["message"]["content"] == [{"text": "Hello"}]
