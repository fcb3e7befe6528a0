"""A chat over an API Gateway WebSocket API: events in, messages out through `@connections`.

A browser sends `{"action": "chat", "messages": […]}`, with messages as `POST /chat` takes them, or
`{"action": "cancel"}`. It gets `{"seq": 1, "type": "message_start", …}` and so on, counted through one answer
without gaps, and `{"type": "ping"}` while nothing else flows. One answer at a time: a new question ends the
one before.

An event is answered at once, because the gateway waits for 29 seconds; the answer is a task of its own.
"""

import asyncio
import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any
from uuid import uuid4

from converse_handler import sse
from converse_handler.chat_request import Refused, conversation
from converse_handler.connections import Connections
from converse_handler.conversation import Answer, Model
from converse_handler.events import Event, Failed, Started
from converse_handler.metrics import Metrics, Record
from converse_handler.publishing import NotPublished, Publication, ReaderLeft
from converse_handler.settings import Settings
from converse_handler.tools import Tools

PING = sse.to_json({"type": "ping"})
OK = {"statusCode": 200}


@dataclass(frozen=True, slots=True)
class Desk:
    """What answers are made with."""

    settings: Settings
    model: Model
    connections: Connections
    tools: Tools
    metrics: Metrics


class Reply:
    """The answer to one message, on its way to the connection that the message came from."""

    def __init__(self, desk: Desk, event: Mapping[str, Any]) -> None:
        # The gateway's own id, and no other: one out of a message would let a client write to others.
        self._connection = desk.connections.of(event["requestContext"]["connectionId"])
        self._heartbeat = desk.settings.heartbeat
        self._publication: Publication | None = None
        self._refusal = ""
        try:
            messages = conversation(body(event))
        except Refused as refused:
            self._refusal = refused.detail
        else:
            self._answer = Answer(messages, desk.model, desk.tools, desk.settings)
            record = Record(self._answer, desk.metrics)
            self._publication = Publication(self._post, record, most=1, per_second=inf)

    def cancel(self) -> None:
        """The user has had enough: let go of Bedrock, and say that it is over."""
        if self._publication:
            self._publication.cancel()

    def leave(self) -> None:
        """The browser has left: nothing more is to be told."""
        self._connection.left = True
        self.cancel()

    async def run(self) -> None:
        """Tell all of it, or as much as the browser stays for."""
        if self._publication is None:
            with suppress(NotPublished):
                await self._refuse()
            return
        beating = asyncio.create_task(self._beat())
        try:
            await self._publication.run(self._answer.events())
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _post(self, texts: Sequence[str]) -> Sequence[int]:
        (text,) = texts
        try:
            await self._connection.post(text.encode())
        except ReaderLeft:
            raise
        except NotPublished:
            await self._connection.close()  # so that the browser does not wait for what will not come
            raise
        return ()

    async def _beat(self) -> None:
        """Show life while the model is silent; it also tells whether anybody is still there."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._connection.posted_at + self._heartbeat - loop.time())
            if loop.time() >= self._connection.posted_at + self._heartbeat:
                try:
                    await self._connection.post(PING)
                except NotPublished:
                    self.leave()
                    return

    async def _refuse(self) -> None:
        failure = Failed("invalid_request", self._refusal, retryable=False, partial=False)
        events: list[Event] = [Started(f"msg_{uuid4().hex}"), failure]
        for number, event in enumerate(events, 1):
            await self._post([sse.to_json({"seq": number, **sse.payload(event)}).decode()])


class WebSocketChat:
    """Takes the events of one API, in one event loop. Call it with each; it gives what a function returns."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._running: dict[str, tuple[Reply, asyncio.Task[None]]] = {}  # by connection

    async def __call__(self, event: Mapping[str, Any]) -> dict[str, int]:
        """Never takes long. To CONNECT it says yes: who may connect is yours to decide."""
        name: str = event["requestContext"]["connectionId"]
        reply, task = self._running.get(name, (None, None))
        match event["requestContext"]["eventType"], action(event):
            case "DISCONNECT", _:
                if reply:
                    reply.leave()
            case "MESSAGE", "cancel":
                if reply:
                    reply.cancel()
            case "MESSAGE", "ping":
                pass  # it puts the gateway's idle limit off, and that is all it is for
            case "MESSAGE", _:
                if reply:
                    reply.cancel()
                self._start(name, Reply(self._desk, event), after=task)
        return OK

    def _start(self, name: str, reply: Reply, after: asyncio.Task[None] | None) -> None:
        async def run() -> None:
            if after:
                await asyncio.wait([after])  # its last words come first
            await reply.run()

        def done(task: asyncio.Task[None]) -> None:
            if self._running[name][1] is task:
                del self._running[name]

        task = asyncio.create_task(run())
        self._running[name] = reply, task
        task.add_done_callback(done)


def body(event: Mapping[str, Any]) -> bytes:
    """What the browser sent."""
    text: str = event["body"]
    return b64decode(text) if event.get("isBase64Encoded") else text.encode()


def action(event: Mapping[str, Any]) -> str | None:
    """What the browser wants; None if it does not say."""
    try:
        found = json.loads(body(event))["action"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) else None
