"""uvicorn's protocol, for what is not for the lane: HTTP/2, control routes, all that is unusual.

All that the project knows of uvicorn's and zttp's inside is in this module and in `wires`. It is imported
when first needed: uvicorn takes a tenth of a second. `transport` says at start-up whether its version fits.
"""

import asyncio

import zttp
from uvicorn import Config
from uvicorn.protocols.http import auto_zttp_impl, zttp_h2_impl, zttp_impl
from uvicorn.server import ServerState

from converse_emulator.http.asgi import App

NEEDED = (
    (auto_zttp_impl.AutoZttpProtocol, "connection_made"),
    (zttp_impl.RequestResponseCycle, "send"),
    (zttp.H1Connection, "send_informational"),
    (zttp_h2_impl.RequestResponseCycle, "send"),
    (zttp.H2Connection, "close"),
    (zttp.Stream, "reset"),
)


def missing() -> list[str]:
    """What this module and `wires` use, and the installed versions do not have."""
    return [f"{owner.__qualname__}.{name}" for owner, name in NEEDED if not hasattr(owner, name)]


class Connection(auto_zttp_impl.AutoZttpProtocol):
    """HTTP/1.1 or HTTP/2, as the client begins; its transport is in `scope["state"]["transport"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {"transport": transport}
        super().connection_made(transport)


class UvicornSide:
    """Makes the protocols of connections, and knows which there are."""

    def __init__(self, app: App) -> None:
        self._config = Config(
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

    def protocol(self) -> Connection:
        """For one connection."""
        return Connection(self._config, self._state, {}, _loop=asyncio.get_running_loop())

    @property
    def transports(self) -> list[asyncio.BaseTransport]:
        """Of the connections that are open."""
        return [connection.transport for connection in self._state.connections]

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """Of the requests that run."""
        return self._state.tasks
