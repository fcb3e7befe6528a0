"""A thread with a loop of its own that serves an ASGI application on one port, HTTP/1.1 and HTTP/2 alike.

It is up in milliseconds and gone in milliseconds: stopping cuts what still runs, as the end of a test wants.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from converse_emulator.transport import App, Connections, check_versions

T = TypeVar("T")

PATIENCE = 2.0  # seconds that a request has to notice that its connection was cut


class Server:
    """Serves `app` from `start` to `stop`; what the application keeps is touched through `call` and `run`."""

    def __init__(self, app: App, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port  # 0: any free one
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread
        self._listener: asyncio.Server
        self._connections: Connections
        self.url = ""  # http://HOST:PORT, known from `start` on

    @property
    def running(self) -> bool:
        return self._loop is not None

    def start(self) -> None:
        """Return once requests are answered. Raises `OSError` if the address cannot be had."""
        check_versions()
        self._connections = Connections(self._app)
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.create_server((self._host, self._port), family=family, backlog=2048)
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http://{host}:{listening.getsockname()[1]}"
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=_serve, args=[self._loop], name="emulator", daemon=True)
        self._thread.start()
        self.run(self._begin(listening))

    def stop(self) -> None:
        """Cut all connections and end the thread; nothing happens if it does not run."""
        if self._loop is None:
            return
        self.run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, run in the server's loop."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def call(self, function: Callable[[], T]) -> T:
        """The result of a function, called in the server's thread; once that has ended, here."""
        if self._loop is None:
            return function()

        async def called() -> T:
            return function()

        return self.run(called())

    async def _begin(self, listening: socket.socket) -> None:
        self._listener = await asyncio.get_running_loop().create_server(self._connections, sock=listening)

    async def _end(self) -> None:
        self._listener.close()
        await self._connections.abort(PATIENCE)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # connections that were cut close their sockets now


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
