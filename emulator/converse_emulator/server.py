"""A thread that serves an ASGI application on one port, HTTP/1.1 and HTTP/2 alike.

Over TLS it is both as well: which, the client says in the handshake (ALPN).

It is up in milliseconds and gone in milliseconds: stopping cuts what still runs, as the end of a test wants.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from converse_emulator.address import listen
from converse_emulator.http.asgi import App, Scope
from converse_emulator.loop_thread import LoopThread
from converse_emulator.outage import How
from converse_emulator.playing.outages import Outages
from converse_emulator.transport import Connections, check_versions

if TYPE_CHECKING:
    from converse_emulator.lane import AnswerTo
    from converse_emulator.tls import Tls

T = TypeVar("T")

PATIENCE = 2.0  # seconds that a request has to notice that its connection was cut
TLS_GOODBYE = 0.5  # seconds that a client has to answer the end of a TLS connection with its own


class Server:
    """Serves `app` from `start` to `stop`; what the application keeps is touched through `call` and `run`."""

    def __init__(
        self,
        app: App,
        host: str,
        port: int,
        tls: "Tls | None" = None,
        answer_to: "AnswerTo | None" = None,
        outages: Outages | None = None,
        withholds: Callable[[Scope], bool] = lambda _: False,
    ) -> None:
        """`answer_to` answers what is for the lane (see `lane`), `app` all else; `outages` is told of the
        server's, `withholds` says who is told no 100 Continue."""
        self._app = app
        self._answer_to = answer_to
        self._host = host
        self._port = port  # 0: any free one
        self._outages = outages or Outages()
        self._withholds = withholds
        self.tls = tls
        self._thread = LoopThread("emulator")
        self._listener: asyncio.Server
        self._connections: Connections
        self._recovery: asyncio.TimerHandle | None = None  # from an outage
        self.url = ""  # http://HOST:PORT or https://HOST:PORT, known from `start` on

    @property
    def running(self) -> bool:
        return self._thread.running

    def start(self) -> None:
        """Return once requests are answered. Raises `OSError` if the address cannot be had."""
        check_versions()
        self._connections = Connections(self._app, self._answer_to, self._outages, self._withholds)
        listening, self.url = listen(self._host, self._port, "https" if self.tls else "http")
        self._thread.start()
        self.run(self._begin(listening))

    def stop(self) -> None:
        """Cut all connections and end the thread; nothing happens if it does not run."""
        if self.running:
            self.run(self._end())
            self._thread.stop()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, run in the server's loop."""
        return self._thread.run(coroutine)

    def soon(self, function: Callable[[], object]) -> None:
        """Have a function called in the server's thread; nobody waits for it."""
        self._thread.soon(function)

    def call(self, function: Callable[[], T]) -> T:
        """The result of a function, called in the server's thread; once that has ended, here."""
        return self._thread.call(function)

    async def _begin(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        if self.tls is None:
            self._listener = await loop.create_server(self._connections, sock=listening)
        else:
            self._listener = await loop.create_server(
                self._connections,
                sock=listening,
                ssl=self.tls.context,
                ssl_shutdown_timeout=TLS_GOODBYE,
            )

    async def outage(self, how: How, seconds: float) -> None:
        """From now on, for so many seconds; see `outage`. Runs in the server's loop."""
        if self._recovery:
            self._recovery.cancel()
        self._connections.outage = how
        self._outages.begin(how, seconds)
        if how == "refuse":
            self._listener.close()
        elif not self._listener.is_serving():
            await self._begin(self._listening_again())
        await self._connections.abort(PATIENCE)
        loop = asyncio.get_running_loop()
        self._recovery = loop.call_later(seconds, lambda: loop.create_task(self._recover()))

    async def _recover(self) -> None:
        self._recovery = None
        self._connections.outage = None
        self._outages.end()
        self._connections.abort_silent()
        if not self._listener.is_serving():
            await self._begin(self._listening_again())

    def _listening_again(self) -> socket.socket:
        port = urlsplit(self.url).port
        assert port
        return listen(self._host, port)[0]

    async def _end(self) -> None:
        if self._recovery:
            self._recovery.cancel()
        self._outages.end()
        self._listener.close()
        await self._connections.abort(PATIENCE)
