"""Every act on a real connection, over HTTP/1.1 and HTTP/2: what a client's socket gets, byte for byte.

uvicorn must not complain about any of them: the acts use its inside (see `transport`), so a complaint is the
first sign that a new version no longer fits.
"""

import asyncio
import logging
import socket
import struct
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import zttp
from converse_emulator import transport, zttp_side
from converse_emulator.http.asgi import Receive, Scope, Send
from converse_emulator.playing.acts import ErrorCode, Head
from converse_emulator.playing.acts import Send as Chunk
from converse_emulator.playing.wire import ClientLeft, Wire
from converse_emulator.server import Server
from converse_emulator.transport import VersionMismatch, check_versions, connected
from converse_emulator.wires.uvicorn_wire import UvicornWire

HEADERS = (
    ("Date", "Fri, 21 Mar 2025 02:04:20 GMT"),
    ("Content-Type", "application/vnd.amazon.eventstream"),
    ("Transfer-Encoding", "chunked"),
    ("Connection", "keep-alive"),
    ("x-amzn-RequestId", "1b"),
)
HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Date: Fri, 21 Mar 2025 02:04:20 GMT\r\n"
    b"Content-Type: application/vnd.amazon.eventstream\r\n"
    b"Transfer-Encoding: chunked\r\n"
    b"Connection: keep-alive\r\n"
    b"x-amzn-RequestId: 1b\r\n\r\n"
)
BIG = bytes(2_000_000)

Act = Callable[[UvicornWire], Coroutine[Any, Any, None]]


async def finish(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.send(b"ab")
    await wire.send(b"c")
    await wire.finish()


async def hangup(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.send(b"abc")
    await wire.hangup()


async def reset(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.send(b"abc")
    await wire.reset()


async def big_reset(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.send(BIG)
    await wire.reset()


async def hangup_at_once(wire: UvicornWire) -> None:
    await wire.hangup()


async def reset_at_once(wire: UvicornWire) -> None:
    await wire.reset()


def promising(length: int) -> tuple[tuple[str, str], ...]:
    """Headers with a Content-Length."""
    return (("Content-Type", "application/json"), ("Content-Length", str(length)))


async def torn_head(wire: UvicornWire) -> None:
    await wire.tear(Head(200, HEADERS), 24)
    await wire.hangup()


async def torn_chunk(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.send(b"abc")
    await wire.tear(Chunk(b"defghijklm", "x"), 0.5)
    await wire.reset()


async def torn_and_finished(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.tear(Chunk(b"defghijklm", "x"), 5)
    await wire.finish()


async def interim(wire: UvicornWire) -> None:
    await wire.head(100, ())
    await wire.head(103, (("Link", "</x>"),))
    await finish(wire)


async def raw_bytes(wire: UvicornWire) -> None:
    await wire.raw(b"HTTP/1.1 2OO OK\r\n\r\n")
    await wire.finish()


async def raw_chunk(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.raw(b"xyz\r\n")
    await wire.hangup()


async def too_long_a_promise(wire: UvicornWire) -> None:
    await wire.head(200, promising(10))
    await wire.send(b"abc")
    await wire.finish()


async def too_short_a_promise(wire: UvicornWire) -> None:
    await wire.head(200, promising(2))
    await wire.send(b"abc")
    await wire.send(b"de")
    await wire.finish()


async def go_away(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.send(b"ab")
    await wire.go_away(ErrorCode.ENHANCE_YOUR_CALM)
    await wire.send(b"c")
    await wire.finish()


async def lost_by_fin(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.send(b"abc")
    await wire.hangup(connection=True)


async def lost_by_rst(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.send(b"abc")
    await wire.reset(connection=True)


async def wait_for_the_end(wire: UvicornWire) -> None:
    await wire.head(200, HEADERS)
    await wire.left


class Performs:
    """An answer that performs `act`."""

    whole = None

    def __init__(self, act: Act, happened: list[str]) -> None:
        self._act = act
        self._happened = happened

    def sent(self) -> None: ...

    async def play(self, wire: Wire) -> None:
        assert isinstance(wire, UvicornWire)
        try:
            await self._act(wire)
            self._happened.append("done")
        except ClientLeft:
            self._happened.append("client left")


THROUGH_LANE = [False]


@pytest.fixture(autouse=True, params=["uvicorn", "lane"])
def _either_way(request: pytest.FixtureRequest) -> None:
    """What is for the lane goes through it, or like all else to uvicorn's side."""
    THROUGH_LANE[0] = request.param == "lane"


@contextmanager
def serving(act: Act) -> Iterator[tuple[tuple[str, int], list[str]]]:
    """A server whose application performs `act`; yields its address and a list of what happened."""
    happened: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        async with connected(scope, receive, send) as wire:
            await Performs(act, happened).play(wire)

    through_lane = (lambda *_: Performs(act, happened)) if THROUGH_LANE[0] else None
    server = Server(app, "127.0.0.1", 0, answer_to=through_lane)
    server.start()
    try:
        host, port = server.url.removeprefix("http://").split(":")
        yield (host, int(port)), happened
    finally:
        server.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def _nobody_complains(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING):
        yield
    assert caplog.record_tuples == []


@contextmanager
def client(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=10) as connection:
        yield connection


def request(connection: socket.socket, **headers: str) -> None:
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n{more}\r\n{{}}".encode())


def read(connection: socket.socket, until: bytes = b"nothing ends like this") -> tuple[bytes, str]:
    """All bytes up to an ending, FIN or RST."""
    data = b""
    try:
        while not data.endswith(until):
            if not (more := connection.recv(65536)):
                return data, "FIN"
            data += more
    except ConnectionResetError:
        return data, "RST"
    return data, "open"


# ------------------------------------------------------------------------------------------- HTTP/1.1


def test_a_response_is_what_was_said_byte_for_byte_and_the_connection_stays() -> None:
    with serving(finish) as (address, happened), client(address) as connection:
        for _ in range(2):
            request(connection)
            expected = HEAD + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
            assert read(connection, until=b"0\r\n\r\n") == (expected, "open")
    assert happened == ["done", "done"]


def test_small_writes_are_not_held_back() -> None:
    """Without TCP_NODELAY the second write of a response may wait 40 ms for the client's acknowledgement."""
    delay = []

    async def look(wire: UvicornWire) -> None:
        delay.append(wire._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await finish(wire)

    with serving(look) as (address, _), client(address) as connection:
        request(connection)
        read(connection, until=b"0\r\n\r\n")
    assert delay == [1]


def test_a_hangup_is_a_fin_without_the_last_chunk() -> None:
    with serving(hangup) as (address, happened), client(address) as connection:
        request(connection)
        assert read(connection) == (HEAD + b"3\r\nabc\r\n", "FIN")
    assert happened == ["done"]


def test_a_reset_is_an_rst_after_what_was_sent() -> None:
    with serving(reset) as (address, happened), client(address) as connection:
        request(connection)
        assert read(connection) == (HEAD + b"3\r\nabc\r\n", "RST")
    assert happened == ["done"]


def test_a_reset_waits_for_a_slow_reader() -> None:
    with serving(big_reset) as (address, _), client(address) as connection:
        request(connection)
        data, end = read(connection)
    assert (len(data), end) == (len(HEAD) + len(b"1e8480\r\n" + BIG + b"\r\n"), "RST")


@pytest.mark.parametrize(
    ("act", "expected", "end"),
    [
        (torn_head, HEAD[:24], "FIN"),
        (torn_chunk, HEAD + b"3\r\nabc\r\na\r\ndefg", "RST"),
        (torn_and_finished, HEAD + b"a\r\nde", "FIN"),
        (raw_bytes, b"HTTP/1.1 2OO OK\r\n\r\n", "FIN"),
        (raw_chunk, HEAD + b"xyz\r\n", "FIN"),
        (go_away, HEAD + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "FIN"),
        (lost_by_fin, HEAD + b"3\r\nabc\r\n", "FIN"),
        (lost_by_rst, HEAD + b"3\r\nabc\r\n", "RST"),
    ],
)
def test_what_breaks_http1_byte_for_byte(act: Act, expected: bytes, end: str) -> None:
    with serving(act) as (address, happened), client(address) as connection:
        request(connection)
        assert read(connection) == (expected, end)
    assert happened == ["done"]


def test_interim_responses_come_before_the_head() -> None:
    with serving(interim) as (address, happened), client(address) as connection:
        for _ in range(2):
            request(connection)
            informed = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
            expected = informed + HEAD + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
            assert read(connection, until=b"0\r\n\r\n") == (expected, "open")
    assert happened == ["done", "done"]


def test_a_promise_that_is_too_long_ends_with_the_connection() -> None:
    with serving(too_long_a_promise) as (address, happened), client(address) as connection:
        request(connection)
        data, end = read(connection)
    assert data.endswith(b"Content-Length: 10\r\n\r\nabc")
    assert (end, happened) == ("FIN", ["done"])


def test_what_was_not_promised_is_sent_all_the_same_and_the_connection_stays() -> None:
    with serving(too_short_a_promise) as (address, happened), client(address) as connection:
        for _ in range(2):
            request(connection)
            data, end = read(connection, until=b"\r\n\r\nabcde")
            assert (end, b"Content-Length: 2\r\n" in data) == ("open", True)
    assert happened == ["done", "done"]


@pytest.mark.parametrize(("act", "end"), [(hangup_at_once, "FIN"), (reset_at_once, "RST")])
def test_the_connection_may_break_before_any_header(act: Act, end: str) -> None:
    with serving(act) as (address, happened), client(address) as connection:
        request(connection)
        assert read(connection) == (b"", end)
    assert happened == ["done"]


@pytest.mark.parametrize("linger", [False, True])
def test_a_client_that_leaves_is_noticed(linger: bool) -> None:
    with serving(wait_for_the_end) as (address, happened):
        with client(address) as connection:
            request(connection)
            assert read(connection, until=HEAD) == (HEAD, "open")
            if linger:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_until(lambda: bool(happened))
    assert happened == ["done"]


def test_sending_to_a_client_that_left_says_so() -> None:
    async def send_on(wire: UvicornWire) -> None:
        await wire.head(200, HEADERS)
        for _ in range(100_000):
            await wire.send(bytes(1000))
            await asyncio.sleep(0)

    with serving(send_on) as (address, happened):
        with client(address) as connection:
            request(connection)
            connection.recv(100)
        wait_until(lambda: bool(happened))
    assert happened == ["client left"]


def test_a_client_that_does_not_read_slows_the_sender_down() -> None:
    sent = 0

    async def send_on(wire: UvicornWire) -> None:
        nonlocal sent
        await wire.head(200, HEADERS)
        while True:
            await wire.send(bytes(65536))
            sent += 65536

    with serving(send_on) as (address, happened):
        with client(address) as connection:
            request(connection)
            connection.recv(100)
            before = -1
            while before != sent:
                before = sent
                time.sleep(0.2)
            assert 0 < sent < 50_000_000
        wait_until(lambda: bool(happened))
    assert happened == ["client left"]


# --------------------------------------------------------------------------------------------- HTTP/2


def h2_events(connection: socket.socket, requests: int) -> Iterator[Any]:
    """The events of an HTTP/2 client that makes requests side by side on one connection."""
    h2 = zttp.Connection(zttp.CLIENT, protocol=zttp.HTTP2)
    h2.initiate_connection()
    for _ in range(requests):
        stream = h2.send_request(b"POST", b"/", b"2", [(b"host", b"x"), (b"content-length", b"2")])
        stream.send_data(b"{}")
        stream.end_message()
    while True:
        connection.sendall(h2.data_to_send())
        received = connection.recv(65536)
        if not received:
            return
        h2.receive_data(received)
        while (event := h2.next_event()) is not zttp.NEED_DATA:
            yield event


def h2_bytes(
    connection: socket.socket, until: bytes = b"nothing ends like this"
) -> tuple[list[tuple[int, int, bytes]], str]:
    """All frames (type, stream, payload) that answer a request, and how the connection ended.

    What is no whole frame comes last, with -1 for type and stream.
    """
    h2 = zttp.Connection(zttp.CLIENT, protocol=zttp.HTTP2)
    h2.initiate_connection()
    h2.send_request(b"POST", b"/", b"2", [(b"host", b"x")]).end_message()
    connection.sendall(h2.data_to_send())
    data, end = read(connection, until)
    frames = []
    while len(data) >= 9 and len(data) >= 9 + (length := int.from_bytes(data[:3], "big")):
        frames.append((data[3], int.from_bytes(data[5:9], "big"), data[9 : 9 + length]))
        data = data[9 + length :]
    return [*frames, *([(-1, -1, data)] if data else [])], end


def h2_responses(connection: socket.socket, requests: int = 1) -> dict[int, tuple[bytes, object]]:
    """Body and end (`END_STREAM` or an error code) of each stream, in the order of their ends."""
    bodies: dict[int, bytes] = {}
    ended: dict[int, tuple[bytes, object]] = {}
    for event in h2_events(connection, requests):
        match event:
            case zttp.Data():
                bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
            case zttp.EndOfMessage():
                ended[event.stream_id] = (bodies.get(event.stream_id, b""), "END_STREAM")
            case zttp.RstStream():
                ended[event.stream_id] = (bodies.get(event.stream_id, b""), event.error_code)
        if len(ended) == requests:
            break
    return ended


@pytest.mark.parametrize(
    ("act", "body", "end"),
    [
        (finish, b"abc", "END_STREAM"),
        (hangup, b"abc", zttp.H2ErrorCode.CANCEL),
        (reset, b"abc", zttp.H2ErrorCode.INTERNAL_ERROR),
        (big_reset, BIG, zttp.H2ErrorCode.INTERNAL_ERROR),
        (hangup_at_once, b"", zttp.H2ErrorCode.CANCEL),
        (reset_at_once, b"", zttp.H2ErrorCode.INTERNAL_ERROR),
    ],
)
def test_every_act_on_http2(act: Act, body: bytes, end: object) -> None:
    with serving(act) as (address, happened), client(address) as connection:
        assert list(h2_responses(connection).values()) == [(body, end)]
    assert happened == ["done"]


DATA_FRAME, HEADERS_FRAME, GOAWAY_FRAME, SETTINGS_FRAME = 0, 1, 7, 4


@pytest.mark.parametrize(
    ("act", "last", "end"),
    [
        (torn_chunk, (-1, b"\0\0\x0a\0\0\0\0\0\1"), "RST"),  # half of 19 bytes: the header of the frame
        (torn_and_finished, (-1, b"\0\0\x0a\0\0"), "FIN"),
        (raw_bytes, (-1, b"HTTP/1.1 2OO OK\r\n\r\n"), "FIN"),
        (lost_by_fin, (DATA_FRAME, b"abc"), "FIN"),
        (lost_by_rst, (DATA_FRAME, b"abc"), "RST"),
    ],
)
def test_what_breaks_http2_frame_for_frame(act: Act, last: tuple[int, bytes], end: str) -> None:
    with serving(act) as (address, happened), client(address) as connection:
        frames, ended = h2_bytes(connection)
    assert (frames[-1][0], frames[-1][2], ended) == (*last, end)
    assert happened == ["done"]


def test_a_torn_head_on_http2_is_half_a_headers_frame() -> None:
    with serving(torn_head) as (address, happened), client(address) as connection:
        frames, end = h2_bytes(connection)
    assert [kind for kind, _, _ in frames[:-1]] == [SETTINGS_FRAME] * 2  # ours, and the answer to theirs
    kind, _, half = frames[-1]
    assert (kind, len(half), half[3], end) == (-1, 24, HEADERS_FRAME, "FIN")
    assert happened == ["done"]


def test_interim_responses_on_http2() -> None:
    with serving(interim) as (address, _), client(address) as connection:
        responses = []
        for event in h2_events(connection, 1):
            if isinstance(event, zttp.Response):
                responses.append(event.status_code)
            if isinstance(event, zttp.EndOfMessage):
                break
    assert responses == [100, 103, 200]


@pytest.mark.parametrize(("act", "body"), [(too_long_a_promise, b"abc"), (too_short_a_promise, b"abcde")])
def test_a_content_length_need_not_be_kept_on_http2(act: Act, body: bytes) -> None:
    with serving(act) as (address, happened), client(address) as connection:
        frames, _ = h2_bytes(connection, until=b"\0\0\0\0\1\0\0\0\1")  # END_STREAM
    assert b"".join(data for kind, _, data in frames if kind == DATA_FRAME) == body
    assert happened == ["done"]


def test_go_away_announces_the_end_and_the_stream_goes_on() -> None:
    with serving(go_away) as (address, happened), client(address) as connection:
        frames, end = h2_bytes(connection)
    of_the_stream = [frame for frame in frames if frame[0] != SETTINGS_FRAME]
    kinds = [kind for kind, _, _ in of_the_stream]
    assert kinds == [HEADERS_FRAME, DATA_FRAME, GOAWAY_FRAME, DATA_FRAME, DATA_FRAME, GOAWAY_FRAME]
    assert of_the_stream[2][2] == struct.pack(">II", 1, ErrorCode.ENHANCE_YOUR_CALM)
    assert (end, happened) == ("FIN", ["done"])


@pytest.mark.parametrize("code", ErrorCode)
def test_a_stream_is_reset_with_any_code(code: ErrorCode) -> None:
    async def with_code(wire: UvicornWire) -> None:
        await wire.head(200, HEADERS)
        await wire.reset(code)

    with serving(with_code) as (address, _), client(address) as connection:
        assert list(h2_responses(connection).values()) == [(b"", code)]


def test_on_http2_the_headers_lose_those_of_the_connection() -> None:
    with serving(finish) as (address, _), client(address) as connection:
        response = next(event for event in h2_events(connection, 1) if isinstance(event, zttp.Response))
    names = [name for name, _ in response.headers]
    assert names == [b"date", b"content-type", b"x-amzn-requestid"]


def test_on_http2_a_reset_leaves_the_other_streams_alone() -> None:
    turn = 0

    async def reset_the_first(wire: UvicornWire) -> None:
        nonlocal turn
        turn += 1
        await (reset if turn == 1 else finish)(wire)

    with serving(reset_the_first) as (address, _), client(address) as connection:
        ends = {end for _, end in h2_responses(connection, 2).values()}
    assert ends == {zttp.H2ErrorCode.INTERNAL_ERROR, "END_STREAM"}


def test_on_http2_a_client_that_resets_its_stream_has_left() -> None:
    with serving(wait_for_the_end) as (address, happened), client(address) as connection:
        for event in h2_events(connection, 1):
            if isinstance(event, zttp.Response):
                break
        frame = struct.pack(">I", 4)[1:] + b"\x03\x00" + struct.pack(">II", event.stream_id, 8)
        connection.sendall(frame)  # RST_STREAM, CANCEL
        wait_until(lambda: bool(happened))
        assert happened == ["done"]


# ------------------------------------------------------------------------------------------- versions


def test_the_installed_versions_fit() -> None:
    check_versions()
    assert zttp_side.missing() == []


def test_another_uvicorn_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "version_of", lambda _: "0.99.1")
    with pytest.raises(VersionMismatch, match=r"need uvicorn 0\.54 .*is uvicorn 0\.99\.1.*pip install"):
        check_versions()
