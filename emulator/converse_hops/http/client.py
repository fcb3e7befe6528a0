"""The HTTP/1.1 client that hops share: what a hop sends up to its origin, and the response as it comes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import h11

from converse_hops.http.link import Headers, Link, PeerLeft, raw_headers, text_headers


class OriginError(Exception):
    """The origin could not be reached, broke off, or spoke no HTTP."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a response."""

    status: int
    reason: str
    headers: Headers


class Outgoing:
    """One connection to an origin, `http://HOST:PORT`; several requests may go over it, one by one."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.trailers: Headers = ()  # of the response, complete once its body is
        self.left = link.left  # done once the origin is gone

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Raises `OriginError`."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise OriginError(f"{url!r} is no origin; one looks like http://127.0.0.1:8080")
        loop = asyncio.get_running_loop()
        try:
            _, link = await loop.create_connection(
                lambda: Link(h11.CLIENT, lambda _: None), parts.hostname, parts.port or 80
            )
        except OSError as error:
            raise OriginError(f"no connection to {url}: {error}") from error
        return cls(link)

    async def request(self, method: str, target: str, headers: Iterable[tuple[str, str]]) -> None:
        """Send the head; framing headers are the caller's. Then come `send` and `end`."""
        await self._write(h11.Request(method=method, target=target, headers=raw_headers(headers)))

    async def send(self, data: bytes) -> None:
        """A piece of the body, one write."""
        if data:
            await self._write(h11.Data(data=data))

    async def end(self) -> None:
        """The request is complete."""
        await self._write(h11.EndOfMessage())

    async def response(self) -> Head:
        """The response's head, once it comes."""
        while True:
            try:
                event = await self._link.next_event()
            except h11.RemoteProtocolError as error:
                gone = self.left.done()
                raise OriginError("the origin closed without a response" if gone else str(error)) from error
            if isinstance(event, h11.Response):
                return Head(event.status_code, event.reason.decode("latin-1"), text_headers(event.headers))

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, in the network's cuts. Raises `OriginError` when it breaks off."""
        while self._link.http.their_state is h11.SEND_BODY:
            try:
                event = await self._link.next_event()
            except h11.RemoteProtocolError as error:
                raise OriginError(str(error)) from error
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.trailers = text_headers(event.headers)

    async def body(self) -> bytes:
        """The whole body."""
        return b"".join([chunk async for chunk in self.chunks()])

    def renew(self, blindly: bool = False) -> bool:
        """Make the connection ready for another request, if it can be; blindly: even if the origin left."""
        http = self._link.http
        done = (http.our_state, http.their_state) == (h11.DONE, h11.DONE)
        if not done or self._link.closed or (self.left.done() and not blindly):
            return False
        http.start_next_cycle()
        return True

    def close(self) -> None:
        self._link.close()

    def reset(self) -> None:
        """RST."""
        self._link.reset()

    async def _write(self, event: h11.Event) -> None:
        try:
            await self._link.write(self._link.http.send(event) or b"")
        except PeerLeft as error:
            raise OriginError(f"the origin is gone: {error}") from error


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Outgoing]:
    """A connection for one request, gone afterwards. Raises `OriginError`."""
    outgoing = await Outgoing.connect(url)
    try:
        yield outgoing
    finally:
        outgoing.close()
