"""The server and the client that hops share, over real sockets."""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest
from converse_hops.hop import Hop
from converse_hops.http.client import OriginError, Outgoing, connected
from converse_hops.http.hop import HttpHop
from converse_hops.http.server import BodyTooLarge, Incoming
from converse_hops.passage import Passage

from tests.hops.peers import GET, LAST, Origin, everything, raw, until


async def echo(incoming: Incoming) -> None:
    body = await incoming.body()
    await incoming.answer(200, [("X-Target", incoming.target)], body)


class Passing(HttpHop):
    """A proxy as plain as can be: what hops in front of others are made of."""

    def __init__(self, origin: Hop | str) -> None:
        super().__init__(origin)

    async def _answer(self, incoming: Incoming, passage: Passage) -> None:
        async with connected(self.origin_url) as outgoing:
            await outgoing.request(incoming.method, incoming.target, incoming.headers)
            async for chunk in incoming.chunks():
                passage.note("up", "received", len(chunk))
                await outgoing.send(chunk)
                passage.note("up", "passed", len(chunk))
            await outgoing.end()
            head = await outgoing.response()
            await incoming.head(head.status, head.headers, head.reason)
            async for chunk in outgoing.chunks():
                passage.note("down", "received", len(chunk))
                await incoming.send(chunk)
                passage.note("down", "passed", len(chunk))
            await incoming.end()
            passage.note("down", "ended")


def test_a_response_goes_out_byte_for_byte_as_it_was_said() -> None:
    async def answer(incoming: Incoming) -> None:
        await incoming.head(206, [("Date", "now"), ("Transfer-Encoding", "chunked"), ("x-LAST", "y")])
        await incoming.send(b"A\0\xff\n")
        await incoming.send(b"")
        await incoming.send(b"bc")
        await incoming.end([("X-Trailer", "t")])

    with Origin(answer) as origin:
        assert everything(origin.url, LAST) == (
            b"HTTP/1.1 206 Partial Content\r\nDate: now\r\nTransfer-Encoding: chunked\r\nx-LAST: y\r\n"
            b"Connection: close\r\n\r\n4\r\nA\0\xff\n\r\n2\r\nbc\r\n0\r\nX-Trailer: t\r\n\r\n"
        )


def test_framing_is_added_where_it_is_missing() -> None:
    async def answer(incoming: Incoming) -> None:
        await incoming.head(200, [("A", "b")])
        await incoming.send(b"hi")
        await incoming.end()

    with Origin(answer) as origin, raw(origin.url, GET) as connection:
        assert until(connection, b"0\r\n\r\n") == (
            b"HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        )


def test_an_http_1_0_client_gets_no_chunks() -> None:
    async def answer(incoming: Incoming) -> None:
        await incoming.head(200, [("Transfer-Encoding", "chunked")])
        await incoming.send(b"hi")
        await incoming.end()

    with Origin(answer) as origin:
        assert everything(origin.url, b"GET / HTTP/1.0\r\n\r\n") == (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhi"
        )


def test_a_connection_serves_one_request_after_the_other() -> None:
    with Origin(echo) as origin, httpx.Client(base_url=origin.url) as client:
        for body in (b"", b"x", b"y" * 300_000):
            response = client.post("/a?b=c", content=body)
            assert (response.headers["x-target"], response.content) == ("/a?b=c", body)
        assert client.head("/").headers["content-length"] == "0"
    assert len(origin.journal) == 4


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_what_has_no_body_gets_none_whatever_is_sent(method: str, status: int) -> None:
    async def answer(incoming: Incoming) -> None:
        await incoming.head(status, [])
        await incoming.send(b"body")
        await incoming.end()

    with Origin(answer) as origin, httpx.Client(base_url=origin.url) as client:
        for _ in range(2):
            response = client.request(method, "/")
            assert (response.status_code, response.content) == (status, b"")


def test_a_body_that_nobody_read_is_not_in_the_way() -> None:
    async def answer(incoming: Incoming) -> None:
        await incoming.answer(413, [])

    with Origin(answer) as origin, httpx.Client(base_url=origin.url) as client:
        assert [client.post("/", content=b"x" * 200_000).status_code for _ in range(2)] == [413, 413]


def test_request_trailers_are_seen() -> None:
    async def answer(incoming: Incoming) -> None:
        body = await incoming.body()
        await incoming.answer(200, incoming.trailers, body)

    request = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Origin(answer) as origin:
        got = everything(origin.url, request + b"2\r\nhi\r\n0\r\nX-Why: because\r\n\r\n")
    assert b"\r\nX-Why: because\r\n" in got
    assert got.endswith(b"\r\n\r\nhi")


def test_who_expects_100_continue_gets_it() -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with Origin(echo) as origin, raw(origin.url, request) as connection:
        assert until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hi")
        assert until(connection, b"hi").startswith(b"HTTP/1.1 200 OK")


def test_a_body_has_a_limit() -> None:
    async def answer(incoming: Incoming) -> None:
        try:
            await incoming.body(most=10)
        except BodyTooLarge:
            await incoming.answer(413, [])

    with Origin(answer) as origin:
        assert httpx.post(origin.url, content=b"x" * 11).status_code == 413


def test_what_is_no_http_is_refused() -> None:
    with Origin(echo) as origin:
        assert everything(origin.url, b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def chunk_then(incoming: Incoming, end: Callable[[], None]) -> None:
    await incoming.head(200, [])
    await incoming.send(b"half")
    await asyncio.sleep(0.05)  # a reset throws away what has not been read
    end()


def test_a_hang_up_is_a_fin_without_the_last_chunk() -> None:
    with Origin(lambda incoming: chunk_then(incoming, incoming.hang_up)) as origin:
        assert everything(origin.url, GET).endswith(b"\r\n\r\n4\r\nhalf\r\n")
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            httpx.get(origin.url)


def test_a_reset_is_a_reset() -> None:
    origin = Origin(lambda incoming: chunk_then(incoming, incoming.reset))
    with origin, raw(origin.url, GET) as connection, pytest.raises(ConnectionResetError):
        until(connection, b"never")


def linger(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("leave", [lambda _: None, linger], ids=["FIN", "RST"])
def test_a_client_that_leaves_is_noticed_while_nothing_is_sent(
    leave: Callable[[socket.socket], None],
) -> None:
    cancelled = []

    async def answer(incoming: Incoming) -> None:
        await incoming.head(200, [])
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(time.monotonic())
            raise

    with Origin(answer) as origin:
        with raw(origin.url, GET) as connection:
            until(connection, b"\r\n\r\n")
            leave(connection)
        origin.journal.wait(lambda journal: journal.last.happened("left"))
    assert len(cancelled) == 1


def test_a_client_that_does_not_read_holds_the_origin_back() -> None:
    sent = []

    async def answer(incoming: Incoming) -> None:
        await incoming.head(200, [])
        while True:
            await incoming.send(b"x" * 65_536)
            sent.append(65_536)

    with Origin(answer) as origin, Passing(origin) as hop, raw(hop.url, GET):
        before = -1
        while len(sent) != before:  # until it stands still
            before = len(sent)
            time.sleep(0.3)
        assert sum(sent) < 50_000_000


def test_a_stream_goes_through_two_hops_chunk_by_chunk() -> None:
    gate = asyncio.Semaphore(0)

    async def answer(incoming: Incoming) -> None:
        await incoming.head(200, [("Content-Type", "text/event-stream")])
        for number in range(5):
            await incoming.send(f"data: {number}\n\n".encode())
            await gate.acquire()
        await incoming.end()

    origin = Origin(answer)
    inner = Passing(origin)
    with Passing(inner) as outer, httpx.stream("GET", outer.url) as response:
        for number, line in enumerate(each for each in response.iter_lines() if each):
            assert line == f"data: {number}"  # the next one is not sent before this one is here
            origin._thread.call(gate.release)
        outer.journal.wait(lambda journal: journal.last.happened("ended"))
    assert not origin.running
    for hop in (inner, outer):
        assert (hop.journal.last.total("passed"), hop.journal.last.held()) == (45, 0)


def test_a_hop_whose_client_leaves_lets_its_origin_go() -> None:
    async def answer(incoming: Incoming) -> None:
        await incoming.head(200, [])
        await asyncio.sleep(60)

    with Origin(answer) as origin, Passing(origin) as hop:
        with raw(hop.url, GET) as connection:
            until(connection, b"\r\n\r\n")
        origin.journal.wait(lambda journal: journal.last.happened("left"))


def test_a_connection_to_an_origin_is_used_again() -> None:
    async def twice(url: str) -> list[bytes]:
        outgoing = await Outgoing.connect(url)
        got = []
        for body in (b"one", b"two"):
            await outgoing.request("POST", "/", [("Host", "x"), ("Content-Length", "3")])
            await outgoing.send(body)
            await outgoing.end()
            await outgoing.response()
            got.append(await outgoing.body())
            assert outgoing.renew()
        outgoing.close()
        return got

    with Origin(echo) as origin:
        assert asyncio.run(twice(origin.url)) == [b"one", b"two"]


async def _ask(url: str) -> bytes:
    async with connected(url) as outgoing:
        await outgoing.request("GET", "/", [("Host", "x")])
        await outgoing.end()
        await outgoing.response()
        return await outgoing.body()


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (lambda incoming: chunk_then(incoming, incoming.hang_up), "peer closed connection"),
        (lambda incoming: chunk_then(incoming, incoming.reset), "peer closed connection"),
        (lambda incoming: asyncio.sleep(0, incoming.hang_up()), "without a response"),
    ],
    ids=["cut", "reset", "no response"],
)
def test_an_origin_that_breaks_is_an_error(answer: Callable[[Incoming], Awaitable[None]], what: str) -> None:
    with Origin(answer) as origin, pytest.raises(OriginError, match=what):
        asyncio.run(_ask(origin.url))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ftp://127.0.0.1"])
def test_an_origin_that_is_not_there_is_an_error(url: str) -> None:
    with pytest.raises(OriginError, match=url):
        asyncio.run(_ask(url))
