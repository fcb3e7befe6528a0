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

    def __init__(self, emulator: Emulator, path: str = PATH) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(emulator.endpoint_url).netloc, timeout=10)
        self._connection.putrequest("POST", path)
        self._connection.putheader("Content-Length", str(len(BODY)))
        self._connection.putheader("Expect", "100-continue")
        self._connection.endheaders()
        self.socket = self._connection.sock

    def answer(self) -> tuple[int, str]:
        """Once the body is sent. Interim responses are read over by `http.client`."""
        self._connection.send(BODY)
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
