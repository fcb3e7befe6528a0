"""Every act over TLS: what a client's socket gets, and below TLS how the connection ended.

A client's TLS library hides the difference: Python's makes a clean end of an RST. So these clients keep TLS
and TCP apart, and tell `goodbye` (close_notify, the orderly end of TLS) from a bare `FIN` and from `RST`.
"""

import asyncio
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h2.config
import h2.connection
import h2.errors
import h2.events
import pytest
from converse_emulator.http.asgi import Receive, Scope, Send
from converse_emulator.server import Server
from converse_emulator.tls import own_tls
from converse_emulator.transport import alpn, connected
from converse_emulator.wires.uvicorn_wire import UvicornWire

from tests.emulator.test_transport import (
    BIG,
    HEAD,
    HEADERS,
    Act,
    Performs,
    big_reset,
    finish,
    go_away,
    h2_bytes,
    hangup,
    hangup_at_once,
    interim,
    lost_by_fin,
    lost_by_rst,
    raw_bytes,
    raw_chunk,
    reset,
    reset_at_once,
    torn_and_finished,
    torn_chunk,
    torn_head,
    wait_for_the_end,
)

THROUGH_LANE = [False]


async def big_hangup(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.send(BIG)
    await wire.hangup()


@pytest.fixture(autouse=True, params=["uvicorn", "lane"])
def _either_way(request: pytest.FixtureRequest) -> None:
    """What is for the lane goes through it, or like all else to uvicorn's side."""
    THROUGH_LANE[0] = request.param == "lane"


class Client:
    """A connection with TLS by hand: what comes out of TLS, and how TLS and TCP ended."""

    def __init__(self, address: tuple[str, int], trust: Path, alpn: str) -> None:
        context = ssl.create_default_context(cafile=trust)
        context.set_alpn_protocols([alpn])
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        self._socket = socket.create_connection(address, timeout=10)
        self._goodbye = False
        self.end = ""
        while not self._shaken():
            self._incoming.write(self._socket.recv(65536))
        assert self._tls.selected_alpn_protocol() == alpn

    def _shaken(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self._flush()
        return True

    def send(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())

    def receive(self) -> bytes:
        """What comes next; empty at the end, which `end` tells then."""
        while not self.end:
            try:
                if data := self._tls.read(65536):
                    return data
                self._goodbye = True
            except ssl.SSLWantReadError:
                pass
            self._read()
        return b""

    def _read(self) -> None:
        try:
            more = self._socket.recv(65536)
        except ConnectionResetError:
            self.end = "RST"
            return
        if more:
            self._incoming.write(more)
        else:
            self.end = "goodbye" if self._goodbye else "FIN"

    def recv(self, _: int) -> bytes:
        """As a socket has it, for what reads from one."""
        data = self.receive()
        if self.end == "RST":
            raise ConnectionResetError
        return data

    sendall = send

    def close(self) -> None:
        self._socket.close()


@contextmanager
def serving(act: Act, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[tuple[Server, list[str]]]:
    """A server whose application performs `act`, and a list of what happened."""
    happened: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        async with connected(scope, receive, send) as wire:
            await Performs(act, happened).play(wire)

    through_lane = (lambda *_: Performs(act, happened)) if THROUGH_LANE[0] else None
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: folder / name)
    server = Server(app, "127.0.0.1", 0, own_tls("127.0.0.1", alpn()), through_lane)
    server.start()
    try:
        yield server, happened
    finally:
        server.stop()


@contextmanager
def client(server: Server, alpn: str) -> Iterator[Client]:
    assert server.tls
    assert server.tls.ca_bundle
    connection = Client(("127.0.0.1", int(server.url.rpartition(":")[2])), server.tls.ca_bundle, alpn)
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture(autouse=True)
def _nobody_complains(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING):
        yield
    assert caplog.record_tuples == []


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)


REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("act", "body", "end"),
    [
        (torn_head, HEAD[:24], "goodbye"),
        (torn_chunk, HEAD + b"3\r\nabc\r\na\r\ndefg", "RST"),
        (torn_and_finished, HEAD + b"a\r\nde", "goodbye"),
        (raw_bytes, b"HTTP/1.1 2OO OK\r\n\r\n", "goodbye"),
        (raw_chunk, HEAD + b"xyz\r\n", "goodbye"),
        (go_away, HEAD + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "goodbye"),
        (lost_by_fin, HEAD + b"3\r\nabc\r\n", "goodbye"),
        (lost_by_rst, HEAD + b"3\r\nabc\r\n", "RST"),
        (hangup, HEAD + b"3\r\nabc\r\n", "goodbye"),
        (reset, HEAD + b"3\r\nabc\r\n", "RST"),
        (big_hangup, HEAD + b"1e8480\r\n" + BIG + b"\r\n", "goodbye"),
        (big_reset, HEAD + b"1e8480\r\n" + BIG + b"\r\n", "RST"),
    ],
)
def test_acts_that_end_an_http1_connection(
    act: Act, body: bytes, end: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(act, monkeypatch, tmp_path) as (server, happened), client(server, "http/1.1") as connection:
        connection.send(REQUEST)
        received = bytearray()
        while data := connection.receive():
            received += data
        assert (bytes(received) == body, connection.end) == (True, end)
    assert happened == ["done"]


@pytest.mark.parametrize(("act", "end"), [(hangup_at_once, "goodbye"), (reset_at_once, "RST")])
def test_an_http1_connection_may_break_before_any_header(
    act: Act, end: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(act, monkeypatch, tmp_path) as (server, _), client(server, "http/1.1") as connection:
        connection.send(REQUEST)
        assert (connection.receive(), connection.end) == (b"", end)


def test_a_response_ends_and_the_connection_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(finish, monkeypatch, tmp_path) as (server, _), client(server, "http/1.1") as connection:
        for _ in range(2):
            connection.send(REQUEST)
            received = b""
            while not received.endswith(b"0\r\n\r\n"):
                received += connection.receive()
            assert received == HEAD + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"


def test_a_client_that_leaves_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(wait_for_the_end, monkeypatch, tmp_path) as (server, happened):
        with client(server, "http/1.1") as connection:
            connection.send(REQUEST)
            assert connection.receive() == HEAD
        wait_until(lambda: bool(happened))
    assert happened == ["done"]


def test_what_waits_below_tls_is_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A reset must not overtake it."""
    waiting: list[tuple[int, int]] = []

    async def look(wire: UvicornWire) -> None:
        await wire.head(200, HEADERS)
        wire._transport.write(bytes(20_000_000))  # past the flow control, which would wait
        await asyncio.sleep(0.2)
        waiting.append((wire._transport.get_write_buffer_size(), wire._unsent()))
        await wire.left

    with serving(look, monkeypatch, tmp_path) as (server, _), client(server, "http/1.1") as connection:
        connection.send(REQUEST)
        wait_until(lambda: bool(waiting))
    ((told, unsent),) = waiting
    assert unsent > told + 1_000_000


@pytest.mark.parametrize(
    ("act", "body", "end"),
    [
        (finish, b"abc", "END_STREAM"),
        (hangup, b"abc", "CANCEL"),
        (reset, b"abc", "INTERNAL_ERROR"),
        (big_hangup, BIG, "CANCEL"),
        (big_reset, BIG, "INTERNAL_ERROR"),
        (hangup_at_once, b"", "CANCEL"),
        (reset_at_once, b"", "INTERNAL_ERROR"),
    ],
)
def test_every_act_on_http2(
    act: Act, body: bytes, end: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(act, monkeypatch, tmp_path) as (server, happened), client(server, "h2") as connection:
        received, ended = _h2_response(connection)
        assert (received == body, ended) == (True, end)
    assert happened == ["done"]


def _h2_response(connection: Client) -> tuple[bytes, str]:
    """The body of a response, and what its stream ended with."""
    conversation = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    conversation.initiate_connection()
    headers = [(":method", "POST"), (":path", "/"), (":scheme", "https"), (":authority", "x")]
    conversation.send_headers(1, headers)
    conversation.send_data(1, b"{}", end_stream=True)
    received = bytearray()
    while True:
        connection.send(conversation.data_to_send())
        for event in conversation.receive_data(connection.receive()):
            match event:
                case h2.events.DataReceived(data=data, flow_controlled_length=length):
                    received += data or b""
                    conversation.acknowledge_received_data(length or 0, 1)
                case h2.events.StreamEnded():
                    return bytes(received), "END_STREAM"
                case h2.events.StreamReset(error_code=code):
                    return bytes(received), h2.errors.ErrorCodes(code or 0).name


@pytest.mark.parametrize(
    ("act", "last", "end"),
    [
        (torn_chunk, (-1, b"\0\0\x0a\0\0\0\0\0\1"), "RST"),
        (torn_and_finished, (-1, b"\0\0\x0a\0\0"), "goodbye"),
        (raw_bytes, (-1, b"HTTP/1.1 2OO OK\r\n\r\n"), "goodbye"),
        (lost_by_fin, (0, b"abc"), "goodbye"),
        (lost_by_rst, (0, b"abc"), "RST"),
    ],
)
def test_what_breaks_an_http2_connection(
    act: Act, last: tuple[int, bytes], end: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(act, monkeypatch, tmp_path) as (server, happened), client(server, "h2") as connection:
        frames, _ = h2_bytes(connection)  # type: ignore[arg-type]  # it has what is used of a socket
        assert (frames[-1][0], frames[-1][2], connection.end) == (*last, end)
    assert happened == ["done"]


def test_interim_responses_and_go_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(interim, monkeypatch, tmp_path) as (server, _), client(server, "http/1.1") as connection:
        connection.send(REQUEST)
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.receive()
        assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"100", b"103", b"200"]
    with serving(go_away, monkeypatch, tmp_path) as (server, _), client(server, "h2") as connection:
        frames, _ = h2_bytes(connection)  # type: ignore[arg-type]
        assert [kind for kind, _, _ in frames if kind in (0, 7)] == [0, 7, 0, 0, 7]
