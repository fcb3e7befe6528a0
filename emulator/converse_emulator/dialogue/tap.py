"""The request's body as it comes, while the response is being sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from converse_emulator.http.asgi import Message, Receive

MOST_WAITING = 1000  # pieces that nobody has taken yet; then the client has to wait


class Tap:
    """Takes what the client sends. `receive` is ASGI's, for who only wants to know when it has left."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(
            MOST_WAITING
        )  # None: nothing more will come
        self._gone = asyncio.Event()
        self._pump = asyncio.get_running_loop().create_task(self._take())

    async def pieces(self) -> AsyncIterator[bytes]:
        """What the client sends, until it has ended its request or left."""
        while (piece := await self._pieces.get()) is not None:
            yield piece

    async def receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def close(self) -> None:
        self._pump.cancel()
        with suppress(asyncio.CancelledError):
            await self._pump

    async def _take(self) -> None:
        more = True
        while (message := await self._receive())["type"] != "http.disconnect":
            if piece := message.get("body", b""):
                await self._pieces.put(piece)
            if more and not message.get("more_body", False):
                more = False
                await self._pieces.put(None)
        self._gone.set()
        if more:
            await self._pieces.put(None)
