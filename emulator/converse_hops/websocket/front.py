"""One port for both protocols: WebSocket handshakes go to `websockets`, other requests to the HTTP server."""

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection
from websockets.server import ServerProtocol

from converse_hops.http.link import Link

MOST_HEAD = 65_536  # bytes of a request's head

Http = Callable[[], Link]


class Front(ServerConnection):
    """A connection that looks at its first request before it is one. `http` makes the other protocol."""

    def __init__(self, protocol: ServerProtocol, server: Server, *, http: Http, **options: Any) -> None:
        super().__init__(protocol, server, **options)
        self._http = http
        self._raw: asyncio.BaseTransport | None = None  # until it is known what the connection is
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = transport

    def data_received(self, data: bytes) -> None:
        if self._raw is None:
            super().data_received(data)
            return
        self._head += data
        if b"\r\n\r\n" not in self._head and len(self._head) < MOST_HEAD:
            return
        transport, self._raw = self._raw, None
        assert isinstance(transport, asyncio.Transport)
        if _is_handshake(self._head):
            super().connection_made(transport)
            super().data_received(self._head)
        else:
            link = self._http()
            transport.set_protocol(link)
            link.connection_made(transport)
            link.data_received(self._head)

    def eof_received(self) -> None:
        if self._raw is None:
            super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._raw is None:
            super().connection_lost(exc)


def _is_handshake(head: bytes) -> bool:
    method, *lines = head.lower().split(b"\r\n")
    upgrades = (line.partition(b":")[2] for line in lines if line.startswith(b"upgrade:"))
    return method.startswith(b"get ") and any(b"websocket" in value for value in upgrades)
