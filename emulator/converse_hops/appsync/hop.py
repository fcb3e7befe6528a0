"""AppSync Events: `POST /event` publishes, events come over the WebSocket `/event/realtime`, on one port.

    with AppSyncEvents(namespaces=["chat"], api_keys=["da2-mine"]) as events:
        events.url           # http://127.0.0.1:PORT, for POST /event
        events.realtime_url  # ws://127.0.0.1:PORT/event/realtime

Nothing is kept: who subscribes late has missed what was published. Not established on the real service, and
so switches: whether `event` is an array or a string, how a handshake is refused, in which order events come.
"""

import argparse
import json
import socket
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Literal, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from converse_hops.appsync import options
from converse_hops.appsync.api import Api
from converse_hops.appsync.broker import Broker
from converse_hops.appsync.callers import PATH, Authorizer, Doors, offered
from converse_hops.appsync.channels import May, anybody
from converse_hops.appsync.errors import EventsError
from converse_hops.appsync.limits import Limits
from converse_hops.appsync.messages import PROTOCOL, encode
from converse_hops.appsync.realtime import Realtime
from converse_hops.hop import Hop
from converse_hops.http.link import header
from converse_hops.http.server import BodyTooLarge, HttpServer, Incoming
from converse_hops.passage import Passage
from converse_hops.websocket.front import Fronts

REALTIME = f"{PATH}/realtime"
HEADERS = (("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*"))
PREFLIGHT = (("Access-Control-Allow-Methods", "POST"), ("Access-Control-Max-Age", "3600"))

Refusal = Literal["message", "http"]


class AppSyncEvents(Hop):
    """An Event API. `access_keys` are ids with their secrets, for signed calls; `authorizer` is a Lambda
    authorizer, its event in and `{"isAuthorized": …}` out; `may` decides what each caller may do where.

    `drop` and `reorder` are chances of each event on its way to each subscription, drawn from `seed`.
    `refusal`: an unauthorized handshake gets a `connection_error` message, or HTTP 401.
    """

    def __init__(
        self,
        *,
        namespaces: Iterable[str] = ("default",),
        api_keys: Iterable[str] = (options.API_KEY,),
        access_keys: Mapping[str, str] | None = None,
        authorizer: Authorizer | None = None,
        may: May = anybody,
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        event_as: Literal["array", "string"] = "array",
        refusal: Refusal = "message",
        drop: float = 0.0,
        reorder: float = 0.0,
        seed: int | str = 0,
        **listening: Any,
    ) -> None:
        super().__init__(**listening)
        self._api = Api(
            Doors(frozenset(api_keys), access_keys or {}, authorizer),
            may,
            Broker(frozenset(namespaces), limits),
            self.pace,
            event_as_array=event_as == "array",
            drop=drop,
            reorder=reorder,
            seed=seed,
        )
        self._refusal = refusal
        self._numbers = count(1)
        self._http: HttpServer
        self._realtime: Server

    @property
    def realtime_url(self) -> str:
        """Where the WebSocket is."""
        return f"ws{self.url.removeprefix('http')}{REALTIME}"

    async def _open(self, listening: socket.socket) -> None:
        self._http = HttpServer(self._respond)
        self._fronts = Fronts(self._http.link)
        self._realtime = await serve(
            self._connected,
            sock=listening,
            create_connection=self._fronts,  # type: ignore[arg-type]
            process_request=self._greet,
            subprotocols=[Subprotocol(PROTOCOL)],
            compression=None,
            server_header=None,
            ping_interval=None,  # `ka` is this protocol's sign of life
            max_size=2 * self._api.limits.publish_bytes,
        )

    async def _close(self) -> None:
        self._realtime.close()
        self._fronts.cut()
        await self._http.cut()
        await self._realtime.wait_closed()

    async def _respond(self, incoming: Incoming) -> None:
        passage = self.journal.open(f"{incoming.method} {incoming.target}")
        if incoming.method == "OPTIONS":  # a page of another origin asks whether it may publish
            asked = header(incoming.headers, "Access-Control-Request-Headers") or "*"
            await incoming.answer(200, [*HEADERS, *PREFLIGHT, ("Access-Control-Allow-Headers", asked)])
            passage.note("down", "ended")
            return
        try:
            status, answer = 200, await self._publish(incoming, passage)
        except EventsError as error:
            status, answer = error.kind.status, error.body()
            passage.note("down", "failed", detail=f"{status} {error.kind.type}: {error}")
        body = encode(answer).encode()
        await incoming.answer(status, HEADERS, body)
        passage.note("down", "ended", len(body), str(status))

    async def _publish(self, incoming: Incoming, passage: Passage) -> dict[str, Any]:
        if (incoming.method, incoming.target) != ("POST", PATH):
            raise EventsError("not_found", f"there is POST {PATH}, and the WebSocket {REALTIME}")
        try:
            body = await incoming.body(self._api.limits.publish_bytes)
        except BodyTooLarge as error:
            raise EventsError("too_large", self._api.limits.publish_bytes) from error
        passage.note("up", "received", len(body))
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            request = None
        if not isinstance(request, dict):
            raise EventsError("bad_request", 'the body is JSON: {"channel": "/a/b", "events": ["1"]}')
        headers = {name.lower(): value for name, value in incoming.headers}
        published = self._api.publish(headers, body, request.get("channel"), request.get("events"))
        passage.note("up", "passed", len(body), published.told)
        return published.answer

    def _greet(self, _: ServerConnection, request: Request) -> Response | None:
        """Answer a handshake with an error, or let it pass."""
        try:
            if request.path.partition("?")[0] != REALTIME:
                raise EventsError("not_found", f"the WebSocket is {REALTIME}")
            authorization = _authorization(request)
            if self._refusal == "http":
                self._api.enter(authorization, b"{}", "connect")
        except EventsError as error:
            self.journal.open(f"GET {request.path}").note("down", "failed", detail=str(error))
            return _response(error)
        return None

    async def _connected(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        number = next(self._numbers)
        passage = self.journal.open(f"realtime connection {number}")
        realtime = Realtime(self._api, number, socket, passage)
        self._api.listeners[number] = realtime
        await realtime.serve(_authorization(socket.request))

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        options.add(parser)

    @classmethod
    def from_options(cls, given: argparse.Namespace) -> Self:
        return cls(**options.arguments(given))


def _authorization(request: Request) -> Mapping[str, str]:
    protocols = ",".join(request.headers.get_all("Sec-WebSocket-Protocol")).split(",")
    return offered([each.strip() for each in protocols])


def _response(error: EventsError) -> Response:
    body = encode(error.body()).encode()
    headers = Headers([*HEADERS, ("Content-Length", str(len(body))), ("Connection", "close")])
    return Response(error.kind.status, error.kind.type, headers, body)
