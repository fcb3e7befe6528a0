"""An ASGI application in this process, called as a server would call it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from converse_hops.web_adapter.messages import ApplicationError, WebRequest, WebResponse

Message = MutableMapping[str, Any]
Asgi = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

_log = logging.getLogger("converse_hops.web_adapter")
_OVER = object()  # after the last piece of a body
_BROKEN = object()  # instead of what should have come


class AsgiApplication:
    """Its tasks run on after a response, as under a server, until `stop`."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self._state: dict[str, Any] = {}  # of the lifespan, for every request
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = asyncio.Event()

    async def start(self) -> None:
        """Its lifespan begins, if it has one."""
        told: asyncio.Queue[Message] = asyncio.Queue()
        began = asyncio.Event()

        async def receive() -> Message:
            if not began.is_set():
                began.set()
                return {"type": "lifespan.startup"}
            await self._ending.wait()
            return {"type": "lifespan.shutdown"}

        async def run() -> None:
            try:
                await self._app({"type": "lifespan", "asgi": _ASGI, "state": self._state}, receive, told.put)
            except Exception:  # the specification's way to say that there is none
                _log.debug("no lifespan", exc_info=True)
            await told.put({"type": "over"})

        self._spawn(run())
        first = await told.get()
        if first["type"] == "lifespan.startup.failed":
            raise ApplicationError(f"its start-up failed: {first.get('message', '')}")

    async def stop(self) -> None:
        self._ending.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        for task in self._tasks:
            task.cancel()

    @asynccontextmanager
    async def answer(self, request: WebRequest) -> AsyncIterator[WebResponse]:
        exchange = _Exchange(request)
        self._spawn(exchange.run(self._app, self._state))
        try:
            head = await exchange.next()
            if head is _BROKEN:  # what servers say then
                yield WebResponse(500, (("content-type", "text/plain; charset=utf-8"),), _apology())
                return
            headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in head["headers"]
            )
            yield WebResponse(head["status"], headers, exchange.chunks())
        finally:
            await exchange.leave()

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_ASGI = {"version": "3.0", "spec_version": "2.3"}


class _Exchange:
    """One request's `receive` and `send`, and the other end of them."""

    def __init__(self, request: WebRequest) -> None:
        self._request = request
        self._asked = False
        self._piece: Any = None  # that the adapter has not taken yet; the next one waits, as at a socket
        self._left = False
        self._changed = asyncio.Condition()

    async def run(self, app: Asgi, state: dict[str, Any]) -> None:
        try:
            await app(_scope(self._request, state), self.receive, self.send)
        except Exception:
            _log.exception("%s %s", self._request.method, self._request.target)
        await self._put(_BROKEN)  # nobody looks if the response is over

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._request.body, "more_body": False}
        async with self._changed:
            await self._changed.wait_for(lambda: self._left)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._put({"headers": (), **message})
            return
        if body := message.get("body", b""):
            await self._put(bytes(body))
        if not message.get("more_body", False):
            await self._put(_OVER)

    async def next(self) -> Any:
        async with self._changed:
            await self._changed.wait_for(lambda: self._piece is not None)
            piece, self._piece = self._piece, None
            self._changed.notify_all()
            return piece

    async def chunks(self) -> AsyncIterator[bytes]:
        while (piece := await self.next()) is not _OVER:
            if piece is _BROKEN:
                raise ApplicationError("it broke off in the middle of its response")
            yield piece

    async def leave(self) -> None:
        """Nobody takes anything any more; the application hears of it, as of a connection that is closed."""
        async with self._changed:
            self._left = True
            self._changed.notify_all()

    async def _put(self, piece: Any) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._left or self._piece is None)
            self._piece = piece
            self._changed.notify_all()


async def _apology() -> AsyncIterator[bytes]:
    yield b"Internal Server Error"


def _scope(request: WebRequest, state: dict[str, Any]) -> dict[str, Any]:
    path, _, query = request.target.partition("?")
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 8080),
        "state": dict(state),
    }
