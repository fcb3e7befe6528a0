"""Origins for the tests of the proxies, and what comes out at the far end."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from converse_hops.http.server import Incoming

STREAM = [("Content-Type", "text/event-stream"), ("X-Accel-Buffering", "no")]
ASK = b"POST /chat HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"

Answer = Callable[[Incoming], Awaitable[None]]


def event(number: int) -> bytes:
    return b"id: %d\n\n" % number


def streaming(*steps: float, headers: list[tuple[str, str]] = STREAM, late: float = 0.0) -> Answer:
    """Events with so many seconds before each of them, and `late` seconds before the head."""

    async def answer(incoming: Incoming) -> None:
        await incoming.body()
        await asyncio.sleep(late)
        await incoming.head(200, headers)
        for number, pause in enumerate(steps, 1):
            await asyncio.sleep(pause)
            await incoming.send(event(number))
        await incoming.end()

    return answer


def breaking(after: int) -> Answer:
    """So many events, and then the origin is gone."""

    async def answer(incoming: Incoming) -> None:
        await incoming.head(200, STREAM)
        for number in range(1, after + 1):
            await incoming.send(event(number))
        incoming.hang_up()

    return answer


def rest(connection: socket.socket) -> bytes:
    """What comes until the connection is closed."""
    got = b""
    while piece := connection.recv(65536):
        got += piece
    return got


def seen(connection: socket.socket, what: bytes) -> bytes:
    """What comes, until these bytes are in it."""
    got = b""
    while what not in got:
        piece = connection.recv(65536)
        assert piece, f"it ended before {what!r}: {got!r}"
        got += piece
    return got
