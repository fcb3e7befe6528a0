"""The response that carries an answer: an ASGI application that writes Server-Sent Events.

It watches the browser while it writes. A browser that leaves, or that takes nothing for too long, is let go
of at once, and the answer learns that it has lost a reader. (A plain streaming response leaves its generator
to the garbage collector when it is cancelled while sending; here it is closed on the spot.)
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import aclosing
from typing import Any

import anyio
import anyio.lowlevel

from converse_handler import sse
from converse_handler.backlog import Lost
from converse_handler.body import Body

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class EventStream:
    """Sends `blocks` of `sse.encode`. `address`: where the answer can be had again, if that is not here.

    `heartbeat`: seconds of silence until a comment is sent. `patience`: seconds one write may take.
    """

    def __init__(
        self, blocks: AsyncGenerator[bytes], address: str = "", *, heartbeat: float, patience: float
    ) -> None:
        self._blocks = blocks
        self._headers = [*sse.HEADERS, *([(b"content-location", address.encode())] if address else [])]
        self._heartbeat = heartbeat
        self._patience = patience

    async def __call__(self, _scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Send the whole response, or as much of it as the browser stays for."""
        complete = False
        async with aclosing(self._blocks), anyio.create_task_group() as tasks:
            await send({"type": "http.response.start", "status": 200, "headers": self._headers})

            async def write(data: bytes) -> None:
                with anyio.move_on_after(self._patience) as patience:
                    await send({"type": "http.response.body", "body": data, "more_body": True})
                if patience.cancelled_caught:
                    tasks.cancel_scope.cancel()
                    await anyio.lowlevel.checkpoint()  # where the cancellation arrives

            tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
            complete = await self._send(write)
            tasks.cancel_scope.cancel()
        if complete:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, write: Callable[[bytes], Awaitable[None]]) -> bool:
        """Whether all of it was sent. If not, the browser sees a body that breaks off, and may ask again."""
        complete = True
        try:
            await Body(write, self._heartbeat).send(self._blocks)
        except* Lost:
            complete = False
        return complete


async def _until_gone(receive: Receive, response: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    response.cancel()
