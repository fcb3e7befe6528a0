"""The life of one connection: `$connect`, messages on their routes, the clocks, `$disconnect`."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from converse_hops.pace import LimitReached, Pace
from converse_hops.passage import Passage
from converse_hops.websocket import events
from converse_hops.websocket.connection import Connection, Full, Gone
from converse_hops.websocket.events import (
    ABNORMAL,
    CONNECT,
    DISCONNECT,
    GOING_AWAY,
    REASONS,
    Event,
    Ids,
    Opening,
)
from converse_hops.websocket.integration import IntegrationError, status
from converse_hops.websocket.limits import Limits, Unknowns

TIMED_OUT = "Endpoint request timed out"
FAILED = "Internal server error"
NO_ROUTE = "Forbidden"


@dataclass(frozen=True, slots=True)
class Rules:
    """What all connections of an API have in common. `spawn` runs what outlives a connection."""

    integrate: Callable[[Event], Awaitable[Any]]
    routes: Collection[str]
    selection: str
    route_response: bool
    limits: Limits
    unknowns: Unknowns
    pace: Pace
    ids: Ids
    spawn: Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]


class Session:
    """One connection. `connect`, then `run` if that gave 200."""

    def __init__(self, rules: Rules, opening: Opening, passage: Passage) -> None:
        self._rules = rules
        self._opening = opening
        self._passage = passage
        self.connection = Connection(opening, rules.unknowns.client_buffer, passage)

    async def connect(self) -> int:
        """Ask `$connect`; the status of the handshake, 200 for yes."""
        if CONNECT not in self._rules.routes:
            return 200
        now = datetime.now(UTC)
        event = events.connect_event(
            self._opening, self._rules.ids.request(), self._rules.ids.trace(now), now
        )
        try:
            answered = status(await self._ask(event)) or 502
        except IntegrationError as error:
            self._passage.note("down", "failed", detail=f"$connect: {error}")
            return 502
        except LimitReached as reached:
            self._passage.note("down", "cut", detail=f"$connect: {reached}")
            return 504
        if 200 <= answered < 300:
            return 200
        return answered if self._rules.unknowns.refused_connect == "its own" and answered >= 400 else 403

    async def run(self, socket: ServerConnection) -> None:
        """Take messages until the client or a clock ends it, then tell `$disconnect`."""
        self.connection.open(socket)
        writing = asyncio.create_task(self.connection.write())
        try:
            await self._receive(socket)
            self._passage.note("up", "left")
        except LimitReached as reached:
            self._passage.note("down", "cut", detail=str(reached))
            await socket.close(GOING_AWAY, REASONS[GOING_AWAY])
        finally:
            writing.cancel()
            if DISCONNECT in self._rules.routes:
                close = socket.protocol.close_rcvd or socket.protocol.close_sent or Close(ABNORMAL, "")
                self._rules.spawn(self._disconnect(int(close.code), close.reason))

    async def _receive(self, socket: ServerConnection) -> None:
        """Returns once the client is gone; raises `LimitReached`."""
        loop, limits = asyncio.get_running_loop(), self._rules.limits
        end = loop.time() + self._rules.pace.real(limits.lifetime)
        while True:
            idle = self.connection.active + self._rules.pace.real(limits.idle)
            if loop.time() >= end:
                raise LimitReached("connection duration", limits.lifetime)
            if loop.time() >= idle:
                raise LimitReached("idle connection timeout", limits.idle)
            try:
                async with asyncio.timeout_at(min(idle, end)):
                    message = await socket.recv()
            except TimeoutError:
                continue  # a post may have put the idle time off
            except ConnectionClosed:
                return
            self.connection.touch()
            self._rules.spawn(self._take(message))

    async def _take(self, message: str | bytes) -> None:
        ids, size = self._rules.ids, len(message if isinstance(message, bytes) else message.encode())
        self._passage.note("up", "received", size)
        request_id = ids.request()
        route = events.select_route(self._rules.selection, self._rules.routes, message)
        if route is None:
            return self._notify(NO_ROUTE, request_id)
        event = events.message_event(
            self._opening, route, request_id, ids.request(), message, datetime.now(UTC)
        )
        try:
            asked = self._ask(event)
            self._passage.note("up", "passed", size, route)
            result = await asked
        except IntegrationError as error:
            self._passage.note("down", "failed", detail=f"{route}: {error}")
            return self._notify(FAILED, request_id)
        except LimitReached as reached:
            self._passage.note("down", "cut", detail=f"{route}: {reached}; what it runs goes on")
            return self._notify(TIMED_OUT, request_id)
        return self._respond(result)

    def _respond(self, result: Any) -> None:
        """Send what the function returned, if the API has route responses."""
        body = result.get("body") if isinstance(result, dict) else None
        if self._rules.route_response and body is not None:
            self._send(body if isinstance(body, str) else json.dumps(body), "route response")

    async def _disconnect(self, code: int, reason: str) -> None:
        event = events.disconnect_event(
            self._opening, self._rules.ids.request(), code, reason, datetime.now(UTC)
        )
        try:
            await self._ask(event)
        except (IntegrationError, LimitReached) as error:
            self._passage.note("down", "failed", detail=f"$disconnect: {error}")

    async def _ask(self, event: Event) -> Any:
        """The integration's answer, if it comes in time; what takes longer runs on, and nobody listens."""
        seconds = self._rules.limits.integration
        running = self._rules.spawn(_quiet(self._rules.integrate, event))
        done, _ = await asyncio.wait([running], timeout=self._rules.pace.real(seconds))
        if not done:
            raise LimitReached("integration timeout", seconds)
        result = running.result()
        if isinstance(result, IntegrationError):
            raise result
        return result

    def _notify(self, text: str, request_id: str) -> None:
        if self._rules.unknowns.notices:
            self._send(events.notice(text, self._opening, request_id), "the gateway's own")

    def _send(self, text: str, whose: str) -> None:
        try:
            self.connection.post(text.encode(), whose)
        except (Gone, Full):
            self._passage.note("down", "failed", detail="the client cannot be told")


async def _quiet(integrate: Callable[[Event], Awaitable[Any]], event: Event) -> Any:
    """The result or the error, as a value: nobody may be there any more to take an exception."""
    try:
        return await integrate(event)
    except IntegrationError as error:
        return error
