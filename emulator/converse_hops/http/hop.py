"""A hop that is an HTTP/1.1 server: each request is a passage of its journal."""

import asyncio
import logging
import socket

from converse_hops.hop import Hop
from converse_hops.http.link import PeerLeft
from converse_hops.http.server import BodyTruncated, HttpServer, Incoming
from converse_hops.passage import Passage

_log = logging.getLogger(__name__)


class HttpHop(Hop):
    """A subclass says how it answers."""

    idle: float | None = None  # seconds that a connection may wait for a request; None: for ever
    runs_on = False  # whether the answering goes on after the client left; else it is cancelled

    async def _answer(self, incoming: Incoming, passage: Passage) -> None:
        """Answer this request. That the client left is noted already; `PeerLeft` may pass through."""
        raise NotImplementedError

    async def _open(self, listening: socket.socket) -> None:
        self._server = HttpServer(self._handle, self.idle)
        await self._server.open(listening)

    async def _close(self) -> None:
        await self._server.close()

    async def _handle(self, incoming: Incoming) -> None:
        passage = self.journal.open(f"{incoming.method} {incoming.target}")
        answering = asyncio.get_running_loop().create_task(self._answer(incoming, passage))
        try:
            await asyncio.wait({answering, incoming.left}, return_when=asyncio.FIRST_COMPLETED)
            if incoming.left.done() and not incoming.complete:
                passage.note("up", "left")
                if not self.runs_on:
                    answering.cancel()
            await asyncio.wait({answering})
        finally:
            answering.cancel()
        if not answering.cancelled() and (error := answering.exception()):
            _judge(error, passage)
        if not incoming.complete:
            incoming.hang_up()


def _judge(error: BaseException, passage: Passage) -> None:
    """Anything but a client that left is a mistake in the hop, not in what passes through it."""
    if not isinstance(error, PeerLeft | BodyTruncated):
        _log.error("%s", passage.about, exc_info=error)
        passage.note("down", "failed", detail=repr(error))
