"""One WebSocket connection of the realtime endpoint: messages in, answers and events out."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from converse_hops.appsync import messages
from converse_hops.appsync.api import Api
from converse_hops.appsync.broker import Disorder
from converse_hops.appsync.callers import signed
from converse_hops.appsync.errors import EventsError
from converse_hops.appsync.limits import Rate
from converse_hops.appsync.messages import Init, Object, Publish, Subscribe, Unreadable, Unsubscribe
from converse_hops.pace import LimitReached
from converse_hops.passage import Passage

MOST_WAITING = 10_000  # messages for a client that takes none; what comes then is lost
HOLDING = 0.5  # seconds that an event may be held back for another one to overtake it


class Realtime:
    """`number` tells connections apart. `send` may be called from the loop at any time."""

    def __init__(self, api: Api, number: int, socket: ServerConnection, passage: Passage) -> None:
        self._api, self._number, self._socket, self._passage = api, number, socket, passage
        self._waiting: asyncio.Queue[Object] = asyncio.Queue(MOST_WAITING)
        self._publishes = Rate(api.limits.publishes_per_second, api.pace.real(1.0))
        self._ways: dict[str, Disorder] = {}  # of the subscriptions, by id

    async def serve(self, headers: Mapping[str, str]) -> None:
        """Serve until the connection is over; `headers` are the authorization of the handshake."""
        try:
            self._api.enter(headers, b"{}", "connect")
        except EventsError as error:
            await self._refuse(error)
            return
        tasks = [asyncio.ensure_future(each) for each in (self._write(), self._keep_alive())]
        try:
            async with self._api.pace.limit("connection", self._api.limits.longest_connection):
                async for text in self._socket:
                    self._passage.note("up", "received", len(text))
                    self._take(text)
            self._passage.note("up", "left")
        except ConnectionClosed:
            self._passage.note("up", "left")
        except LimitReached as limit:
            self._passage.note("down", "cut", detail=str(limit))
            await self._socket.close(1001, "connection limit reached")
        finally:
            self._api.leave(self._number)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _refuse(self, error: EventsError) -> None:
        """Clients listen once they have sent their first message, so the answer waits for it."""
        with suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(self._api.pace.real(15)):
                await self._socket.recv()
            await self._socket.send(messages.encode(messages.failure("connection_error", error)))
            self._passage.note("down", "failed", detail=f"connection_error {error.kind.type}")
        await self._socket.close(1008, error.kind.type)

    def send(self, message: Object) -> None:
        """Send it as soon as the client takes it."""
        size = _size(message)
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self._passage.note("down", "failed", size, "lost: the client takes nothing")
        else:
            self._passage.note("down", "received", size, _told(message))

    def deliver(self, id: str, events: tuple[str, ...]) -> None:
        """Send events of a subscription's channel, unless they get lost."""
        way = self._ways[id]
        for event in events:
            through = way.feed(event)
            self._deliver(id, through)
            if not through:
                loop = asyncio.get_running_loop()
                loop.call_later(self._api.pace.real(HOLDING), lambda: self._deliver(id, way.flush()))

    def _deliver(self, id: str, events: list[str]) -> None:
        for event in events if id in self._ways else ():
            if len(event.encode(errors="replace")) > self._api.limits.event_bytes:
                self.send(messages.failure("broadcast_error", EventsError("message"), id))
            else:
                self.send(messages.data(id, event, as_array=self._api.event_as_array))

    async def _write(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                message = await self._waiting.get()
                await self._socket.send(messages.encode(message))
                self._passage.note("down", "passed", _size(message), _told(message))

    async def _keep_alive(self) -> None:
        while True:
            await self._api.pace.sleep(self._api.limits.keep_alive)
            self.send(messages.KEEP_ALIVE)

    def _take(self, text: str | bytes) -> None:
        """Do what one message asks for, and answer it."""
        try:
            message = messages.read(text)
        except Unreadable as error:
            self.send(messages.failure(error.answer, error, error.id))
            return
        match message:
            case Init():
                self.send(messages.ack(self._api.limits.connection_timeout))
            case Subscribe(id):
                self._answer("subscribe", id, lambda: self._subscribe(message))
            case Publish(id):
                self._answer("publish", id, lambda: self._publish(message))
            case Unsubscribe(id):
                self._answer("unsubscribe", id, lambda: self._unsubscribe(id))

    def _answer(self, kind: str, id: str, act: Callable[[], Object]) -> None:
        try:
            answer = messages.success(kind, id, **act())
        except EventsError as error:
            self._passage.note("down", "failed", detail=f"{kind}_error {error.kind.type}: {error}")
            answer = messages.failure(f"{kind}_error", error, id)
        self.send(answer)

    def _subscribe(self, message: Subscribe) -> Object:
        self._api.broker.check(self._number, message.id)
        body = signed(channel=message.channel)
        try:
            channel = self._api.channel(
                message.authorization, body, "subscribe", message.channel, wildcard=True
            )
        except EventsError as why:
            if why.kind.evidence != "inferred":
                raise
            self._passage.note("down", "failed", detail=str(why))  # the client is told what is documented
            raise EventsError("subscription") from why
        self._ways[message.id] = self._api.disorder(self._number, channel)
        self._api.broker.subscribe(self._number, message.id, channel)
        return {}

    def _unsubscribe(self, id: str) -> Object:
        self._api.broker.unsubscribe(self._number, id)
        del self._ways[id]
        return {}

    def _publish(self, message: Publish) -> Object:
        if not self._publishes.admit(asyncio.get_running_loop().time()):
            raise EventsError("throttled")
        body = signed(channel=message.channel, events=message.events)
        published = self._api.publish(message.authorization, body, message.channel, message.events)
        self._passage.note("up", "passed", len(body), published.told)
        return published.answer


def _size(message: Object) -> int:
    return len(messages.encode(message))


def _told(message: Object) -> str:
    return str(message["type"])
