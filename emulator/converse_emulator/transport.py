"""Real connections: uvicorn's protocol, and the wires for the acts that ASGI has no words for.

All that the project knows of uvicorn's and zttp's inside is in this module and in `wires`, and
`check_versions` says at start-up whether the installed ones fit it. A connection's transport is in the state
that uvicorn copies into each ASGI scope; `Connection` puts it there.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
import zttp
from uvicorn.protocols.http import auto_zttp_impl, zttp_h2_impl, zttp_impl
from uvicorn.server import ServerState

from converse_emulator.errors import EmulatorError
from converse_emulator.http.asgi import App, Receive, Scope, Send
from converse_emulator.wires.http1 import Http1Wire
from converse_emulator.wires.http2 import Http2Wire
from converse_emulator.wires.uvicorn_wire import UvicornWire

UVICORN = "0.54"
ALPN = ["h2", "http/1.1"]  # what a client may choose over TLS, the best first


class VersionMismatch(EmulatorError, RuntimeError):
    """The installed uvicorn or zttp is not one that this module knows."""


def check_versions() -> None:
    """Raise `VersionMismatch` if the installed uvicorn and zttp do not have what this module uses."""
    needed = (
        (auto_zttp_impl.AutoZttpProtocol, "connection_made"),
        (zttp_impl.RequestResponseCycle, "send"),
        (zttp.H1Connection, "send_informational"),
        (zttp_h2_impl.RequestResponseCycle, "send"),
        (zttp.H2Connection, "close"),
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


@asynccontextmanager
async def connected(scope: Scope, receive: Receive, send: Send) -> AsyncIterator[UvicornWire]:
    """The wire of a request that uvicorn passed to an ASGI application."""
    wire = (Http2Wire if scope["http_version"] == "2" else Http1Wire)(scope, receive, send)
    try:
        yield wire
    finally:
        await wire.close()
