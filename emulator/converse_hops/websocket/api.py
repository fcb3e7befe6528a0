"""An API Gateway WebSocket API: clients at one end, a function that gets events at the other, and beside
both the `@connections` API through which the function talks back.

    with WebSocketApi(handler, speed=60) as api:
        websockets.connect(api.connect_url)                                  # ws://127.0.0.1:PORT/prod
        boto3.client("apigatewaymanagementapi", endpoint_url=api.management_url)
"""

import argparse
import asyncio
import logging
import socket
from collections.abc import Collection, Coroutine
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit
from weakref import WeakKeyDictionary

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request as Handshake
from websockets.http11 import Response

from converse_hops.hop import Hop
from converse_hops.http.server import BodyTooLarge, HttpServer, Incoming
from converse_hops.websocket.bucket import Bucket
from converse_hops.websocket.connection import Connection
from converse_hops.websocket.events import CONNECT, DEFAULT, DISCONNECT, Ids, Opening, check_expression
from converse_hops.websocket.front import Fronts
from converse_hops.websocket.integration import Target, integration
from converse_hops.websocket.limits import FRAME, MESSAGE, Limits, Unknowns
from converse_hops.websocket.management import Management, Request, connection_named
from converse_hops.websocket.options import add_options, arguments
from converse_hops.websocket.session import Rules, Session

if TYPE_CHECKING:
    from converse_emulator.admission.credentials import Credentials

BODY = 10_485_760  # bytes of a management call that are read at all
CLOSE = 2.0  # seconds, of this machine, that a client has to answer a close frame
KERNEL = 32_768  # bytes that the kernel keeps for a client, so that a slow one is felt soon

_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)  # that connections come and go is in the journal


class WebSocketApi(Hop):
    """`target` gets the events of `routes`, whose keys `selection` finds in messages.

    `route_response`: what the function returns as `body` goes to the client as a message; an API without
    route responses, the usual one, drops it. `post_latency`: seconds that a post takes, drawn between the two
    for each: posts that are made side by side overtake each other, as they do there.
    """

    def __init__(
        self,
        target: Target,
        *,
        routes: Collection[str] = (CONNECT, DEFAULT, DISCONNECT),
        selection: str = "$request.body.action",
        stage: str = "prod",
        api_id: str = "a1b2c3d4e5",
        credentials: "Credentials | None" = None,
        limits: Limits | None = None,
        unknowns: Unknowns | None = None,
        route_response: bool = False,
        post_latency: tuple[float, float] = (0.0, 0.0),
        seed: int | str = 0,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        origin = target if isinstance(target, Hop) else None
        super().__init__(origin, host=host, port=port, speed=speed)
        limits, unknowns = limits or Limits(), unknowns or Unknowns()
        self._stage, self._api_id = stage, api_id
        self._post_latency = post_latency
        self._chance = Random(f"latency {seed}")
        self._connections: dict[str, Connection] = {}
        self._handshakes = Bucket(limits.connections_per_second, limits.connections_per_second)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._rules = Rules(
            integration(target),
            frozenset(routes),
            check_expression(selection),
            route_response,
            limits,
            unknowns,
            self.pace,
            Ids(seed),
            self._spawn,
        )
        self._management = Management(
            api_id,
            stage,
            self._connections.get,
            Bucket(limits.posts_per_second, limits.posts_at_once).take,
            credentials,
            unknowns.error_bodies,
            Random(f"management {seed}"),
        )

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        add_options(parser)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        return cls(options.integration, **arguments(options))

    @property
    def connect_url(self) -> str:
        """Where clients connect: `ws://HOST:PORT/STAGE`."""
        return f"ws{self.url.removeprefix('http')}/{self._stage}"

    @property
    def management_url(self) -> str:
        """The `endpoint_url` of clients of the `@connections` API: `http://HOST:PORT/STAGE`."""
        return f"{self.url}/{self._stage}"

    async def _open(self, listening: socket.socket) -> None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL)  # connections inherit it
        self._http = HttpServer(self._manage)
        self._fronts = Fronts(self._http.link)
        # Those whose handshake is not over yet; it may still fail.
        self._sessions: WeakKeyDictionary[ServerConnection, Session] = WeakKeyDictionary()
        self._server = await serve(
            self._run,
            sock=listening,
            process_request=self._connect,
            create_connection=self._fronts,  # type: ignore[arg-type]
            max_size=(MESSAGE, FRAME),
            compression=None,
            open_timeout=None,
            close_timeout=CLOSE,
            ping_interval=None,
            server_header=None,
            logger=_log,
        )

    async def _close(self) -> None:
        for connection in self._server.all_connections:
            connection.transport.abort()
        self._server.close()
        self._fronts.cut()
        await self._http.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, socket: ServerConnection, handshake: Handshake) -> Response | None:
        parts = urlsplit(handshake.path)
        if unquote(parts.path).strip("/") != self._stage:
            return _refusal(403)
        opening = Opening(
            self._api_id,
            self._stage,
            self._rules.ids.connection(),
            str(socket.remote_address[0]),
            parts.query,
            tuple(handshake.headers.raw_items()),
        )
        if not self._handshakes.take():
            return _refusal(429)
        passage = self.journal.open(f"connection {opening.connection_id}")
        if parts.query:
            passage.note("up", "received", detail=f"?{parts.query}")
        session = Session(self._rules, opening, passage)
        status = await session.connect()
        if status != 200:
            return _refusal(status)
        self._sessions[socket] = session
        return None

    async def _run(self, socket: ServerConnection) -> None:
        session = self._sessions.pop(socket)
        name = session.connection.opening.connection_id
        self._connections[name] = session.connection
        try:
            await session.run(socket)
        finally:
            del self._connections[name]

    async def _manage(self, incoming: Incoming) -> None:
        path, _, query = incoming.target.partition("?")
        try:
            body = await incoming.body(BODY)
        except BodyTooLarge:
            incoming.hang_up()
            return
        if incoming.method == "POST":
            await self.pace.sleep(self._chance.uniform(*self._post_latency))
        headers = tuple((name.lower(), value) for name, value in incoming.headers)
        reply = self._management.answer(Request(incoming.method, path, query, headers, body))
        if reply.refused:
            self._note(
                f"{incoming.method}: {reply.status} {reply.refused}", connection_named(path), len(body)
            )
        await incoming.answer(reply.status, reply.headers, reply.body)

    def _note(self, refusal: str, connection_id: str, size: int) -> None:
        """Let the connection's passage tell what was refused, also once the connection is over."""
        for passage in reversed(self.journal):
            if passage.about == f"connection {connection_id}":
                passage.note("down", "failed", size, refusal)
                return

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


_MESSAGES = {403: "Forbidden", 429: "Too Many Requests", 500: "Internal server error"}


def _refusal(status: int) -> Response:
    """What a client gets instead of a handshake."""
    message = _MESSAGES.get(status, _MESSAGES[500 if status >= 500 else 403])
    text = f'{{"message": "{message}"}}'.encode()
    headers = Headers(
        {"Content-Type": "application/json", "Content-Length": str(len(text)), "Connection": "close"}
    )
    known = status in HTTPStatus.__members__.values()
    return Response(status, HTTPStatus(status).phrase if known else "", headers, text)
