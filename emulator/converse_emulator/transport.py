"""The wire of a real connection: uvicorn's protocol, and the acts that ASGI has no words for.

All that the project knows of uvicorn's and zttp's inside is in this module, and `check_versions` says at
start-up whether the installed ones fit it:

- a connection's transport: `Connection` puts it into the state that uvicorn copies into each ASGI scope;
- a request's cycle, the object that `send` is a method of: it knows whether the client is gone, and on
  HTTP/2 has the stream.

HTTP/1.1 has one response at a time on a connection, so RST and FIN are the connection's. On HTTP/2 the
connection carries other responses too, so both are RST_STREAM: INTERNAL_ERROR for a reset, CANCEL for a
hang-up. Clients take the one for an error and the other for an end, as they do with RST and FIN.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
import zttp
from uvicorn.protocols.http import auto_zttp_impl, zttp_h2_impl, zttp_impl
from uvicorn.server import ServerState

from converse_emulator.errors import EmulatorError
from converse_emulator.playing.acts import HttpHeaders
from converse_emulator.playing.wire import ClientLeft

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

UVICORN = "0.54"
ALPN = ["h2", "http/1.1"]  # what a client may choose over TLS, the best first
POLL = 0.001  # seconds between two looks at a buffer that must drain
SIOCOUTQNSD = 0x894B  # Linux: bytes of a socket's send queue that have not been sent


class VersionMismatch(EmulatorError, RuntimeError):
    """The installed uvicorn or zttp is not one that this module knows."""


def check_versions() -> None:
    """Raise `VersionMismatch` if the installed uvicorn and zttp do not have what this module uses."""
    needed = (
        (auto_zttp_impl.AutoZttpProtocol, "connection_made"),
        (zttp_impl.RequestResponseCycle, "send"),
        (zttp_h2_impl.RequestResponseCycle, "send"),
        (zttp.Stream, "reset"),
    )
    missing = [f"{owner.__qualname__}.{name}" for owner, name in needed if not hasattr(owner, name)]
    if missing or not uvicorn.__version__.startswith(f"{UVICORN}."):
        raise VersionMismatch(
            f"the emulator's connections need uvicorn {UVICORN} with its zttp protocol; "
            f"installed is uvicorn {uvicorn.__version__}"
            + (f", without {', '.join(missing)}" if missing else "")
            + f". To repair it: pip install 'uvicorn=={UVICORN}.*'"
        )


class Connection(auto_zttp_impl.AutoZttpProtocol):
    """HTTP/1.1 or HTTP/2, as the client begins; its transport is in `scope["state"]["transport"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {"transport": transport}
        # asyncio does it only for sockets that know they are TCP. Without, the second of two small writes
        # waits up to 40 ms for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


class Connections:
    """Makes the protocol of each new connection, and ends them all."""

    def __init__(self, app: App) -> None:
        self._config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        self._config.load()
        self._config.loaded_app = app  # uncovered: at trace level uvicorn wraps it, and `send` with it
        self._state = ServerState()

    def __call__(self) -> asyncio.Protocol:
        return Connection(self._config, self._state, {}, _loop=asyncio.get_running_loop())

    async def abort(self, patience: float) -> None:
        """Cut all connections, and give their requests `patience` seconds to end."""
        for connection in list(self._state.connections):
            connection.transport.abort()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=patience)


class UvicornWire:
    """The response to one request, as uvicorn's ASGI server takes it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._cycle = send.__self__  # type: ignore[attr-defined]
        self._transport: asyncio.Transport = scope["state"]["transport"]
        self._socket = self._transport.get_extra_info("socket")
        self._left: asyncio.Task[None] | None = None
        self._cut = False

    @property
    def left(self) -> "asyncio.Future[None]":
        if self._left is None:
            self._left = asyncio.get_running_loop().create_task(self._leaving())
        return self._left

    async def _leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def head(self, status: int, headers: HttpHeaders) -> None:
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self._pass_on({"type": "http.response.start", "status": status, "headers": raw})

    async def send(self, data: bytes) -> None:
        await self._pass_on({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self) -> None:
        await self._pass_on({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pass_on(self, message: Message) -> None:
        await self._send(message)
        if self._cycle.disconnected:  # then uvicorn drops the message silently
            raise ClientLeft

    async def hangup(self) -> None:
        if self._on_http2:
            await self._reset_stream(zttp.H2ErrorCode.CANCEL)
        else:
            self._transport.close()
        self._cut = True

    async def reset(self) -> None:
        if self._on_http2:
            await self._reset_stream(zttp.H2ErrorCode.INTERNAL_ERROR)
        else:
            await self._drained()
            no_linger = struct.pack("ii", 1, 0)  # closing sends RST
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
            self._transport.abort()
        self._cut = True

    @property
    def _on_http2(self) -> bool:
        return isinstance(self._cycle, zttp_h2_impl.RequestResponseCycle)

    async def _reset_stream(self, code: zttp.H2ErrorCode) -> None:
        await self._drained()
        self._cycle.stream.reset(code)
        self._transport.write(self._cycle.conn.data_to_send())
        self._cycle.disconnected = True  # nothing more is sent, and nothing is missing

    async def _drained(self) -> None:
        """Wait until all bytes have left: a reset overtakes those that have not."""
        while self._unsent():
            if self._cycle.disconnected or self._transport.is_closing():
                raise ClientLeft
            await asyncio.sleep(POLL)

    def _unsent(self) -> int:
        """Bytes that wait to be sent, here or in the kernel; of the kernel's only Linux tells."""
        waiting = _buffered(self._transport)
        if self._on_http2:
            waiting += self._cycle.stream.pending_bytes or 0  # for the client to open its window
        if waiting or sys.platform != "linux" or self._transport.is_closing():
            return waiting
        import fcntl

        return int.from_bytes(fcntl.ioctl(self._socket.fileno(), SIOCOUTQNSD, bytes(4)), sys.byteorder)

    async def close(self) -> None:
        """Leave nothing behind. Of a cut connection uvicorn must know before the application returns."""
        if self._cut and not self._on_http2:
            await self.left
        if self._left is not None:
            self._left.cancel()


def _buffered(transport: asyncio.Transport) -> int:
    """Bytes that wait in a transport; one that speaks TLS does not count those in the one below it."""
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    return transport.get_write_buffer_size() + (below.get_write_buffer_size() if below else 0)


@asynccontextmanager
async def connected(scope: Scope, receive: Receive, send: Send) -> AsyncIterator[UvicornWire]:
    """The wire of a request that uvicorn passed to an ASGI application."""
    wire = UvicornWire(scope, receive, send)
    try:
        yield wire
    finally:
        await wire.close()
