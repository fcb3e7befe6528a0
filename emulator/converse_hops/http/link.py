"""One TCP connection that speaks HTTP/1.1: h11 over an asyncio transport, for servers and clients alike.

h11 knows the protocol, request trailers included, which ASGI servers drop; this knows the socket:
back-pressure both ways, the moment at which the other side leaves, a hang-up, a reset.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterable

import h11

MOST_UNREAD = 65_536  # bytes that are taken from the socket and not asked for yet
MOST_HEAD = 1_048_576  # bytes of a head: far beyond any real limit, which are the hops' own matter

Headers = tuple[tuple[str, str], ...]  # in wire order, names as they were written


class PeerLeft(ConnectionError):
    """The other side closed or reset the connection while something was to be written or read."""


class Link(asyncio.Protocol):
    """`role` is `h11.SERVER` or `h11.CLIENT`: what this side is. `made` is called once it is connected."""

    def __init__(self, role: type[h11.SERVER] | type[h11.CLIENT], made: "Callable[[Link], None]") -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=MOST_HEAD)
        self.left: asyncio.Future[None] = asyncio.get_running_loop().create_future()  # the other side is gone
        self._made = made
        self._transport: asyncio.Transport
        self._unread = 0
        self._news = asyncio.Event()  # bytes, or an end
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a write is a packet, at once
        self._made(self)

    def data_received(self, data: bytes) -> None:
        self.http.receive_data(data)
        self._unread += len(data)
        if self._unread > MOST_UNREAD:
            self._transport.pause_reading()
        self._news.set()

    def eof_received(self) -> bool:
        self._gone()
        return True  # the transport stays: what is still to be said may be said

    def connection_lost(self, _: Exception | None) -> None:
        self._gone()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    @property
    def peer(self) -> str:
        """The other side's address."""
        return str((self._transport.get_extra_info("peername") or ("",))[0])

    @property
    def closed(self) -> bool:
        return self._transport.is_closing()

    async def next_event(self) -> "h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]":
        """What comes next; raises `h11.RemoteProtocolError` for what is no HTTP, truncated bodies too."""
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self._unread = 0
            if not self.closed:
                self._transport.resume_reading()
            self._news.clear()
            await self._news.wait()

    async def write(self, data: bytes) -> None:
        """Give the kernel `data`; waits while the other side does not take it. Raises `PeerLeft`."""
        if self.closed:
            raise PeerLeft("the connection is closed")
        self._transport.write(data)
        if not self._writable.is_set():
            await self._writable.wait()
            if self.closed:
                raise PeerLeft("the connection was closed before all was taken")

    def close(self) -> None:
        """End in good order: what was written is sent, then FIN. In the middle of a message, a hang-up."""
        self._transport.close()

    def abort(self) -> None:
        """End at once; what is not sent is lost."""
        self._transport.abort()

    def reset(self) -> None:
        """RST, at once."""
        self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _socket(self) -> socket.socket:
        found: socket.socket = self._transport.get_extra_info("socket")
        return found

    def _gone(self) -> None:
        if not self.left.done():
            self.left.set_result(None)
            self.http.receive_data(b"")
        self._news.set()


def text_headers(headers: "h11._headers.Headers") -> Headers:
    """h11's headers as text, with names as they were written."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw_items())


def raw_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """The way back."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """The value of the first header of this name, in whatever case."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)
