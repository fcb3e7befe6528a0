"""One port for both protocols: WebSocket handshakes go to `websockets`, other requests to the HTTP server."""

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection
from websockets.server import ServerProtocol

from converse_hops.http.link import Link

MOST_HEAD = 65_536  # bytes of a request's head

Http = Callable[[], Link]


class Fronts:
    """Makes the connections of one server. `http` makes the protocol of those that are no WebSockets."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self.silent: set[asyncio.BaseTransport] = set()  # they have not said yet what they are

    def __call__(self, protocol: ServerProtocol, server: Server, **options: Any) -> "Front":
        return Front(protocol, server, self, **options)

    def cut(self) -> None:
        """Cut those that never said a word; the others are their servers' to cut."""
        for transport in list(self.silent):
            assert isinstance(transport, asyncio.Transport)
            transport.abort()


class Front(ServerConnection):
    """A connection that looks at its first request before it is one."""

    def __init__(self, protocol: ServerProtocol, server: Server, fronts: Fronts, **options: Any) -> None:
        super().__init__(protocol, server, **options)
        self._fronts = fronts
        self._raw: asyncio.BaseTransport | None = None  # until it is known what the connection is
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = transport
        self._fronts.silent.add(transport)

    def data_received(self, data: bytes) -> None:
        if self._raw is None:
            super().data_received(data)
            return
        self._head += data
        if b"\r\n\r\n" not in self._head and len(self._head) < MOST_HEAD:
            return
        transport, self._raw = self._raw, None
        self._fronts.silent.discard(transport)
        assert isinstance(transport, asyncio.Transport)
        if _is_handshake(self._head):
            super().connection_made(transport)
            super().data_received(self._head)
        else:
            link = self._fronts.http()
            transport.set_protocol(link)
            link.connection_made(transport)
            link.data_received(self._head)

    def eof_received(self) -> None:
        if self._raw is None:
            super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._raw is None:
            super().connection_lost(exc)
        else:
            self._fronts.silent.discard(self._raw)


def _is_handshake(head: bytes) -> bool:
    method, *lines = head.lower().split(b"\r\n")
    upgrades = (line.partition(b":")[2] for line in lines if line.startswith(b"upgrade:"))
    return method.startswith(b"get ") and any(b"websocket" in value for value in upgrades)
