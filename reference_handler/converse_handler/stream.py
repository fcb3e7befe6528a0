"""The response that carries an answer: an ASGI application that writes Server-Sent Events.

It watches the browser while it writes. A browser that leaves, or that takes nothing for too long, cancels the
answer, and the answer lets go of Bedrock. (A plain streaming response leaves its generator to the garbage
collector when it is cancelled while sending; here it is closed on the spot.)
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import aclosing
from typing import Any

import anyio
import anyio.lowlevel

from converse_handler import sse
from converse_handler.body import Body
from converse_handler.events import Event
from converse_handler.metrics import Record

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class EventStream:
    """`heartbeat`: seconds of silence until a comment is sent. `patience`: seconds one write may take."""

    def __init__(
        self, events: AsyncGenerator[Event], record: Record, *, heartbeat: float, patience: float
    ) -> None:
        self._events = events
        self._record = record
        self._heartbeat = heartbeat
        self._patience = patience

    async def __call__(self, _scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Send the whole response, or as much of it as the browser stays for."""
        complete = False
        try:
            async with aclosing(self._events), anyio.create_task_group() as tasks:
                await send({"type": "http.response.start", "status": 200, "headers": list(sse.HEADERS)})

                async def write(data: bytes) -> None:
                    with anyio.move_on_after(self._patience) as patience:
                        await send({"type": "http.response.body", "body": data, "more_body": True})
                    if patience.cancelled_caught:
                        tasks.cancel_scope.cancel()
                        await anyio.lowlevel.checkpoint()  # where the cancellation arrives

                tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
                await Body(self._record, write, self._heartbeat).send(self._events)
                complete = True
                tasks.cancel_scope.cancel()
            if complete:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._record.end()


async def _until_gone(receive: Receive, response: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    response.cancel()
