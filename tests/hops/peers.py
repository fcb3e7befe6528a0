"""What the tests of the hops share: raw connections, and origins that do as they are told."""

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from converse_hops.http.hop import HttpHop
from converse_hops.http.server import Incoming
from converse_hops.passage import Passage

GET = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Origin(HttpHop):
    """Answers by a coroutine function."""

    def __init__(self, answer: Callable[[Incoming], Awaitable[None]]) -> None:
        super().__init__()
        self._told = answer

    async def _answer(self, incoming: Incoming, passage: Passage) -> None:  # noqa: ARG002
        await self._told(incoming)


@contextmanager
def raw(url: str, request: bytes) -> Iterator[socket.socket]:
    """A connection on which these bytes were sent."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        yield connection


def until(connection: socket.socket, end: bytes) -> bytes:
    """What comes, up to these bytes or the end of all."""
    got = b""
    while not got.endswith(end):
        if not (piece := connection.recv(65536)):
            break
        got += piece
    return got


def everything(url: str, request: bytes) -> bytes:
    """All that comes until the server closes."""
    with raw(url, request) as connection:
        return until(connection, b"\0never\0")
