"""The HTTP/1.1 server that hops share: requests and responses chunk by chunk, with every way to end.

Response heads are written here and not by h11, which would put its framing headers last and in lower case:
what a hop says goes out byte for byte.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from http import HTTPStatus

import h11

from converse_hops.http.link import Headers, Link, PeerLeft, header, raw_headers, text_headers

Handler = Callable[["Incoming"], Awaitable[None]]
_log = logging.getLogger(__name__)


class BodyTooLarge(Exception):
    """A request's body has more bytes than it may."""


class BodyMismatch(Exception):
    """A response's body is not as long as its Content-Length says."""


class BodyTruncated(Exception):
    """The client left in the middle of its request's body."""


class Incoming:
    """A request, and the means to answer it. One task may read it and another one answer it."""

    def __init__(self, link: Link, request: h11.Request) -> None:
        self.method = request.method.decode()
        self.target = request.target.decode("latin-1")  # path and query, as they were written
        self.headers: Headers = text_headers(request.headers)
        self.trailers: Headers = ()  # complete once the body is
        self.client = link.peer
        self.left = link.left  # done once the client is gone
        self.responded = False
        self.bodiless = False  # whatever is sent, the response has no body
        self._link = link

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, in the network's cuts. Raises `BodyTruncated`."""
        http = self._link.http
        if http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            await self._link.write(http.send(go_on) or b"")
        while http.their_state is h11.SEND_BODY:
            try:
                event = await self._link.next_event()
            except h11.RemoteProtocolError as error:
                raise BodyTruncated(str(error)) from error
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.trailers = text_headers(event.headers)

    async def body(self, most: int | None = None) -> bytes:
        """The whole body; raises `BodyTooLarge` when it has more than `most` bytes, and `BodyTruncated`."""
        whole = bytearray()
        async for chunk in self.chunks():
            whole += chunk
            if most is not None and len(whole) > most:
                raise BodyTooLarge(f"more than {most} bytes")
        return bytes(whole)

    async def head(self, status: int, headers: Iterable[tuple[str, str]], reason: str | None = None) -> None:
        """Send status line and headers, in this order. Without Content-Length the body is sent in chunks;
        `Transfer-Encoding: chunked` and `Connection: close` are added where they belong and are missing.
        """
        headers = list(headers)
        words = _phrase(status) if reason is None else reason
        response = h11.Response(status_code=status, reason=words.encode(), headers=raw_headers(headers))
        choice = (self._link.http.send(response) or b"").lower()  # h11's, of framing and of what comes after
        self.responded = True
        self.bodiless = self.method == "HEAD" or status in (204, 304)
        chunked = b"\r\ntransfer-encoding: chunked\r\n" in choice
        if not chunked:
            headers = _without("Transfer-Encoding", headers)
        elif header(headers, "Transfer-Encoding") is None:
            headers.append(("Transfer-Encoding", "chunked"))
        if b"\r\nconnection: close\r\n" in choice:
            headers = _closing(headers)
        lines = [f"HTTP/1.1 {status} {words}", *(f"{name}: {value}" for name, value in headers), "", ""]
        await self._link.write("\r\n".join(lines).encode("latin-1"))

    async def send(self, data: bytes) -> None:
        """Send a piece of the body: one chunk, one write. Raises `PeerLeft` and `BodyMismatch`."""
        if data and not self.bodiless:
            await self._write(h11.Data(data=data))

    async def end(self, trailers: Iterable[tuple[str, str]] = ()) -> None:
        """The response is complete. Raises `PeerLeft` and `BodyMismatch`."""
        await self._write(h11.EndOfMessage(headers=raw_headers(trailers)))

    async def answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes = b"") -> None:
        """A whole response with a Content-Length."""
        headers = list(headers)
        if status >= 200 and status not in (204, 304) and header(headers, "Content-Length") is None:
            headers.append(("Content-Length", str(len(body))))
        await self.head(status, headers)
        await self.send(body)
        await self.end()

    async def _write(self, event: h11.Data | h11.EndOfMessage) -> None:
        try:
            data = self._link.http.send(event) or b""
        except h11.LocalProtocolError as error:
            raise BodyMismatch(str(error)) from error
        await self._link.write(data)

    @property
    def received(self) -> bool:
        """Whether the whole request is there."""
        return self._link.http.their_state is not h11.SEND_BODY

    @property
    def complete(self) -> bool:
        """Whether the response is."""
        return self._link.http.our_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)

    def hang_up(self) -> None:
        """FIN, wherever the response is: without the last chunk it is a cut."""
        self._link.close()

    def reset(self) -> None:
        """RST."""
        self._link.reset()


class HttpServer:
    """Has `handler` answer the requests that come in on a socket; those of one connection one by one.

    A connection that waits `idle` seconds for a request is closed; None: never.
    """

    def __init__(self, handler: Handler, idle: float | None = None) -> None:
        self._handler = handler
        self._idle = idle
        self._tasks: set[asyncio.Task[None]] = set()
        self._links: set[Link] = set()
        self._ended = False
        self._server: asyncio.Server

    async def open(self, listening: socket.socket) -> None:
        self._server = await asyncio.get_running_loop().create_server(self.link, sock=listening)

    def link(self) -> Link:
        """The protocol of one connection; for one that somebody else accepted, too."""
        return Link(h11.SERVER, self._accept)

    async def close(self) -> None:
        """Accept no more, and cut all connections."""
        self._server.close()
        await self.cut()

    async def cut(self) -> None:
        """Cut all connections, those too that were accepted in this moment."""
        self._ended = True
        for link in list(self._links):
            link.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, link: Link) -> None:
        if self._ended:
            link.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(link))
        self._tasks.add(task)
        self._links.add(link)
        task.add_done_callback(self._tasks.discard)
        link.left.add_done_callback(lambda _: self._links.discard(link))

    async def _serve(self, link: Link) -> None:
        try:
            while isinstance(request := await self._next(link), h11.Request):
                incoming = Incoming(link, request)
                await self._handler(incoming)
                async for _ in incoming.chunks():  # what nobody read is in the way of the next request
                    pass
                if link.closed or link.http.our_state is not h11.DONE:
                    return
                link.http.start_next_cycle()
        except h11.RemoteProtocolError as error:
            await _refuse(link, error)
        except (PeerLeft, BodyTruncated):
            pass
        except Exception:
            _log.exception("a request could not be answered")
        finally:
            link.close()

    async def _next(self, link: Link) -> object:
        """The next request; None if it did not come in time."""
        try:
            async with asyncio.timeout(self._idle):
                return await link.next_event()
        except TimeoutError:
            return None


async def _refuse(link: Link, error: h11.RemoteProtocolError) -> None:
    """What came is no HTTP."""
    if link.http.our_state not in (h11.IDLE, h11.SEND_RESPONSE) or link.closed:
        return
    status = error.error_status_hint
    head = f"HTTP/1.1 {status} {_phrase(status)}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    await link.write(head.encode())


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _closing(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """With `Connection: close`, where a Connection header is or at the end."""
    if header(headers, "Connection") is None:
        return [*headers, ("Connection", "close")]
    return [(name, "close" if name.lower() == "connection" else value) for name, value in headers]


def _without(name: str, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [each for each in headers if each[0].lower() != name.lower()]
