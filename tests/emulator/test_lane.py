"""The lane: what it takes, what it hands over, and that a client cannot tell the one from the other."""

import http.client
import json
import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from converse_emulator import Emulator, lane
from converse_emulator.http import head

PATH = "/model/anthropic.claude-3-haiku-20240307-v1:0/converse"
BODY = json.dumps({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}).encode()


@pytest.fixture
def emulator(caplog: pytest.LogCaptureFixture) -> Iterator[Emulator]:
    with caplog.at_level(logging.WARNING), Emulator() as running:
        yield running
    assert caplog.record_tuples == []


@pytest.fixture
def connection(emulator: Emulator) -> Iterator[socket.socket]:
    host, port = emulator.endpoint_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as opened:
        yield opened


def request(body: bytes = BODY, path: str = PATH, *headers: str, version: str = "1.1") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answers(connection: socket.socket, count: int) -> list[str]:
    """The texts of so many answers, in order."""
    data = b""
    while data.count(b'"stopReason"') < count:
        more = connection.recv(65536)
        assert more, data
        data += more
    return re.findall(r'"text":"([^"]*)"', data.decode())


def ended(connection: socket.socket) -> bytes:
    """All that comes until the connection is closed."""
    data = b""
    while more := connection.recv(65536):
        data += more
    return data


def test_requests_may_come_one_after_the_other_on_a_connection(
    emulator: Emulator, connection: socket.socket
) -> None:
    for text in ("one", "two"):
        emulator.play(text)
        connection.sendall(request())
        assert answers(connection, 1) == [text]


def test_connections_that_ask_at_once_are_all_answered(emulator: Emulator) -> None:
    """Each gets its own answers in their order, also where some ask twice and some want no more."""
    host, port = emulator.endpoint_url.removeprefix("http://").split(":")
    paths = [f"/session/s{number}{PATH}" for number in range(20)]
    for number in range(20):
        for text in ("one", "two"):
            emulator.session(f"s{number}").play(f"{text} {number}")
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection((host, int(port)), 10)) for _ in paths]
        for number, connection in enumerate(opened):
            last = request(BODY, paths[number], *(["Connection: close"] if number % 2 else []))
            connection.sendall(request(BODY, paths[number]) + last)
        for number, connection in enumerate(opened):
            assert answers(connection, 2) == [f"one {number}", f"two {number}"]
            if number % 2:
                assert ended(connection) == b""


def test_requests_may_come_all_at_once(emulator: Emulator, connection: socket.socket) -> None:
    for text in ("one", "two", "three"):
        emulator.play([{"wait": "5ms"}, {"text": text}] if text == "two" else text)
    connection.sendall(request() * 3)
    assert answers(connection, 3) == ["one", "two", "three"]


def test_a_request_may_come_in_any_pieces(emulator: Emulator, connection: socket.socket) -> None:
    emulator.play("one")
    emulator.play("two")
    for byte in request() + request():
        connection.sendall(bytes([byte]))
    assert answers(connection, 2) == ["one", "two"]


@pytest.mark.parametrize(
    "unusual",
    [
        request(BODY, PATH, version="1.0"),
        request(BODY, PATH, "Connection: close"),
        request(BODY + b" " * head.LARGEST_BODY),
        request(BODY, PATH, "X-Large: " + "x" * 8_000),
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY),
    ],
    ids=["HTTP/1.0", "close", "large body", "large head", "chunked"],
)
def test_what_is_unusual_is_answered_as_well(
    emulator: Emulator, connection: socket.socket, unusual: bytes
) -> None:
    emulator.play("usual")
    emulator.play("unusual")
    connection.sendall(request())
    assert answers(connection, 1) == ["usual"]
    connection.sendall(unusual)
    assert answers(connection, 1) == ["unusual"]


def test_a_client_may_wait_for_a_word_before_it_sends_its_body(
    emulator: Emulator, connection: socket.socket
) -> None:
    emulator.play("Hello")
    whole = request(BODY, PATH, "Expect: 100-continue")
    connection.sendall(whole[: -len(BODY)])
    assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
    connection.sendall(BODY)
    assert answers(connection, 1) == ["Hello"]


def test_a_connection_ends_after_the_response_if_the_client_says_so(
    emulator: Emulator, connection: socket.socket
) -> None:
    emulator.play("Hello")
    connection.sendall(request(BODY, PATH, "Connection: close"))
    assert b'"text":"Hello"' in ended(connection)


def test_control_routes_and_requests_share_a_connection(emulator: Emulator) -> None:
    host, port = emulator.endpoint_url.removeprefix("http://").split(":")
    client = http.client.HTTPConnection(host, int(port), timeout=10)
    for number in range(3):
        client.request("POST", "/_emulator/arm", json.dumps({"reply": f"Hello {number}"}))
        assert client.getresponse().read()
        client.request("POST", PATH, BODY)
        assert f"Hello {number}".encode() in client.getresponse().read()
        client.request("GET", "/_emulator/health")
        assert b"ok" in client.getresponse().read()
    client.close()


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize("garbage", [b"POST nonsense\r\n\r\n", b"hello\r\n\r\n"])
def test_what_is_no_http_is_refused(
    connection: socket.socket, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    connection.sendall(garbage)
    assert ended(connection).startswith(b"HTTP/1.1 400 ")
    caplog.clear()  # it is worth a warning


def test_an_idle_connection_is_closed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "KEPT_ALIVE", 0.3)
    with Emulator() as emulator:
        emulator.play([{"wait": "500ms"}, {"text": "Hello"}])
        host, port = emulator.endpoint_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            begun = time.monotonic()
            connection.sendall(request())
            assert answers(connection, 1) == ["Hello"]  # it was not idle while it was answered
            assert ended(connection) == b""
            assert time.monotonic() - begun >= 0.75  # the half second of the answer, and the idle time


def test_a_client_that_sends_on_and_does_not_read_is_held_back(emulator: Emulator) -> None:
    host, port = emulator.endpoint_url.removeprefix("http://").split(":")
    emulator.play([{"wait": "forever"}])
    with socket.create_connection((host, int(port)), timeout=0.5) as connection:
        sent = 0
        with suppress(TimeoutError):
            while sent < 100_000_000:
                sent += connection.send(request() * 1000)
    assert sent < 100_000_000
