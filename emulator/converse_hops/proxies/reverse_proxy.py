"""A reverse proxy: a request up, its response down as it comes, by the clocks of whatever it stands in for.

What breaks before the response's head becomes an error page. After that there is no way left to say so: the
connection is closed without the last chunk, and the browser sees a body that breaks off.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from email.utils import formatdate
from http import HTTPStatus

from converse_hops.hop import Hop
from converse_hops.http.client import Head, OriginError, Outgoing
from converse_hops.http.hop import HttpHop
from converse_hops.http.server import BodyTruncated, Incoming
from converse_hops.pace import LimitReached
from converse_hops.passage import Passage
from converse_hops.proxies.clocks import COMPLETION, CONNECTION, IDLE, READ, Clocks, restarting
from converse_hops.proxies.headers import of_request, passed_on

Moved = Callable[[], None]  # to be called for every piece that goes either way


class ReverseProxy(HttpHop):
    """A subclass has clocks, headers and pages of its own; this one passes on what comes."""

    server = "proxy"  # what its own error pages are signed with

    def __init__(
        self,
        origin: Hop | str,
        clocks: Clocks,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        super().__init__(origin, host=host, port=port, speed=speed)
        self._clocks = clocks

    def _connection(self) -> AbstractAsyncContextManager[Outgoing]:
        """A connection to the origin for one exchange."""
        return self._connected()

    def _request_headers(self, incoming: Incoming) -> list[tuple[str, str]]:
        return of_request(incoming.headers)

    def _response_headers(self, head: Head, incoming: Incoming) -> list[tuple[str, str]]:  # noqa: ARG002
        return passed_on(head.headers)

    def _error_headers(self) -> list[tuple[str, str]]:
        return []

    async def _answer(self, incoming: Incoming, passage: Passage) -> None:
        try:
            async with self.pace.limit(COMPLETION, self._clocks.completion):
                await self._exchange(incoming, passage)
        except LimitReached as limit:
            passage.note("down", "cut", detail=str(limit))
            await self._fail(incoming, self._status_of(limit, incoming))
        except OriginError as error:
            passage.note("down", "failed", detail=str(error))
            await self._fail(incoming, 502)

    def _status_of(self, limit: LimitReached, incoming: Incoming) -> int:  # noqa: ARG002
        """What a limit becomes that was reached before the response's head."""
        return 504

    async def _exchange(self, incoming: Incoming, passage: Passage) -> None:
        """One request and its response; raises `LimitReached` and `OriginError`."""
        async with self._connection() as outgoing, restarting(self.pace, IDLE, self._clocks.idle) as moved:
            await outgoing.request(incoming.method, incoming.target, self._request_headers(incoming))
            sending = asyncio.create_task(self._up(incoming, outgoing, passage, moved))
            try:
                await self._down(incoming, outgoing, passage, moved)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def _up(self, incoming: Incoming, outgoing: Outgoing, passage: Passage, moved: Moved) -> None:
        try:
            async for piece in incoming.chunks():
                moved()
                passage.note("up", "received", len(piece))
                await outgoing.send(piece)
                passage.note("up", "passed", len(piece))
            await outgoing.end()
        except (OriginError, BodyTruncated):
            return  # the origin may have answered before it closed, and who left is noted elsewhere

    async def _down(self, incoming: Incoming, outgoing: Outgoing, passage: Passage, moved: Moved) -> None:
        async with self.pace.limit(READ, self._clocks.read):
            head = await outgoing.response()
        moved()
        await self._deliver(head, self._pieces(outgoing, passage, moved), incoming, passage)
        await incoming.end()
        passage.note("down", "ended")

    async def _pieces(self, outgoing: Outgoing, passage: Passage, moved: Moved) -> AsyncIterator[bytes]:
        """The response's body as it comes, by the clock."""
        pieces = outgoing.chunks()
        while True:
            async with self.pace.limit(READ, self._clocks.read):
                piece = await anext(pieces, None)
            if piece is None:
                return
            moved()
            passage.note("down", "received", len(piece))
            yield piece

    async def _deliver(
        self, head: Head, pieces: AsyncIterator[bytes], incoming: Incoming, passage: Passage
    ) -> None:
        """Send head and body on; at once, unless a subclass buffers."""
        await incoming.head(head.status, self._response_headers(head, incoming), head.reason)
        async for piece in pieces:
            await self._send(piece, incoming, passage)

    async def _send(self, piece: bytes, incoming: Incoming, passage: Passage) -> None:
        await incoming.send(piece)
        passage.note("down", "passed", len(piece))

    async def _fail(self, incoming: Incoming, status: int) -> None:
        """A page, if there is still time for one; else the hop cuts the connection."""
        if incoming.responded:
            return
        title = f"{status} {HTTPStatus(status).phrase}"
        page = (
            f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
            f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        )
        headers = [
            ("Server", self.server),
            ("Date", formatdate(usegmt=True)),
            ("Content-Type", "text/html"),
            *self._error_headers(),
        ]
        await incoming.answer(status, headers, page.encode())
        if not incoming.received:  # nobody waits for the rest
            incoming.hang_up()

    async def _connect(self) -> Outgoing:
        async with self.pace.limit(CONNECTION, self._clocks.connection):
            return await Outgoing.connect(self.origin_url)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Outgoing]:
        """A new connection, gone afterwards."""
        with closing(await self._connect()) as outgoing:
            yield outgoing


def add_origin(parser: argparse.ArgumentParser) -> None:
    """The option that all of them have."""
    parser.add_argument(
        "--origin", metavar="URL", required=True, help="what stands behind it, http://HOST:PORT"
    )
