"""A handler that keeps no time limits of its own, so that those of the path are seen."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from converse_hops.pace import Pace

HEARTBEAT = 15.0  # seconds between two comments
EVENT = 5.0  # seconds between two events of a stream that goes on and on
LONG = 1800.0  # seconds after which that ends, twice what Lambda allows
SILENCE = 600.0  # seconds that only heartbeats fill
HEAD = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache, no-transform")]

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Quiet:
    """An ASGI application. The last part of the path says what it does, in the seconds of `pace`.

    `first`: never answers. `between`: two events, then nothing. `total`: an event every 5 s for half an hour.
    `heartbeats`: an event, ten minutes of comments, an event. `typed`: silence for half a minute, then twenty
    events by a clock of its own.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        plan = _PLANS.get(scope["path"].rpartition("/")[2], Quiet._ready)
        begun = False
        async for piece in plan(self):
            if not begun:
                await send({"type": "http.response.start", "status": 200, "headers": HEAD})
                begun = True
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    async def _ready(self) -> AsyncIterator[bytes]:
        yield b": ready\n\n"

    async def _first(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(3600)
        yield b""

    async def _between(self) -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        yield b"data: 2\n\n"
        await asyncio.sleep(3600)

    async def _total(self) -> AsyncIterator[bytes]:
        end = time.monotonic() + self._pace.real(LONG)
        while time.monotonic() < end:
            yield b"data: 1\n\n"
            await self._pace.sleep(EVENT)

    async def _heartbeats(self) -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        end = time.monotonic() + self._pace.real(SILENCE)
        while time.monotonic() < end:
            await self._pace.sleep(HEARTBEAT)
            yield b": ping\n\n"
        yield b"data: 2\n\n"

    async def _typed(self) -> AsyncIterator[bytes]:
        await self._pace.sleep(30)
        for word in range(20):
            yield b"data: %d\n\n" % word
            await asyncio.sleep(0.03)


_PLANS: dict[str, Callable[[Quiet], AsyncIterator[bytes]]] = {
    "first": Quiet._first,
    "between": Quiet._between,
    "total": Quiet._total,
    "heartbeats": Quiet._heartbeats,
    "typed": Quiet._typed,
}


@contextmanager
def served(app: Any) -> Iterator[str]:
    """A service that runs all the time, in a thread; its URL."""
    config = uvicorn.Config(
        app, log_level="critical", lifespan="off", timeout_keep_alive=75, timeout_graceful_shutdown=0
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
