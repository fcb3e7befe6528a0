"""uvicorn's protocols, for what is not for the lane: HTTP/2, control routes, all that is unusual."""

import asyncio
from collections.abc import Callable

from uvicorn import Config
from uvicorn.server import ServerState

from converse_emulator.http.asgi import App


class UvicornSide:
    """Makes the protocols of connections, each a `connection`, and knows which there are."""

    def __init__(self, app: App, connection: Callable[..., asyncio.Protocol]) -> None:
        self._connection = connection
        self._config = Config(
            app,
            http=connection,  # type: ignore[arg-type]
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

    def protocol(self) -> asyncio.Protocol:
        """For one connection."""
        return self._connection(self._config, self._state, {}, _loop=asyncio.get_running_loop())

    @property
    def transports(self) -> list[asyncio.BaseTransport]:
        """Of the connections that are open."""
        return [connection.transport for connection in self._state.connections]

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """Of the requests that run."""
        return self._state.tasks
