"""Where acts go: a connection, a stream of one, or memory."""

import asyncio
from typing import Protocol

from converse_emulator.playing.acts import ErrorCode, Head, HttpHeaders, Send


class ClientLeft(Exception):
    """The client is gone: it closed the connection, or reset the HTTP/2 stream."""


class Wire(Protocol):
    """One response on its way to a client. Every act but the last may raise `ClientLeft`.

    An act returns when its bytes are handed over, which takes as long as the client is slow to read.
    """

    @property
    def left(self) -> "asyncio.Future[None]":
        """Is done once the client is gone."""

    async def head(self, status: int, headers: HttpHeaders) -> None:
        """Send status line and headers; below 200 an interim response, after which the real one comes."""

    async def begin(self, status: int, headers: HttpHeaders, data: bytes) -> None:
        """As `head`, with the first bytes of the body, in one write where that can be."""

    async def send(self, data: bytes) -> None:
        """Send bytes of the body, in one write."""

    def chunk(self, data: bytes) -> bytes:
        """What `push` wants for these bytes."""

    def push(self, chunk: bytes) -> bool:
        """As `send`, now; false, and nothing was sent, if that would have to wait for the client."""

    async def tear(self, act: Head | Send, at: int | float) -> None:
        """Frame a head or a chunk and send only the first `at` bytes of it (below 1: that part)."""

    async def raw(self, data: bytes) -> None:
        """Send bytes past all framing."""

    async def go_away(self, code: ErrorCode) -> None:
        """Announce the end of the connection; this response goes on."""

    async def finish(self) -> None:
        """End the body properly; the connection stays, if what was sent leaves it usable."""

    async def hangup(self, connection: bool = False) -> None:
        """Close the connection (FIN), or one stream of it, without ending the body."""

    async def reset(self, code: ErrorCode = ErrorCode.INTERNAL_ERROR, connection: bool = False) -> None:
        """Reset the connection (RST), or one stream of it, after what was sent has gone out."""


class MemoryWire:
    """A wire for tests: `acts` is what came, in order, one entry a write.

    `stays` is the number of acts after which the client leaves; None: it stays.
    """

    def __init__(self, stays: int | None = None) -> None:
        self.acts: list[tuple[str, object]] = []
        self._stays = stays
        self._left: asyncio.Future[None] | None = None

    @property
    def left(self) -> "asyncio.Future[None]":
        if self._left is None:
            self._left = asyncio.get_running_loop().create_future()
        return self._left

    @property
    def body(self) -> bytes:
        """All bytes of the body so far."""
        return b"".join(data for name, data in self.acts if name == "send" and isinstance(data, bytes))

    async def head(self, status: int, headers: HttpHeaders) -> None:
        self._come("head", (status, headers))

    async def begin(self, status: int, headers: HttpHeaders, data: bytes) -> None:
        await self.head(status, headers)
        await self.send(data)

    async def send(self, data: bytes) -> None:
        self._come("send", data)

    def chunk(self, data: bytes) -> bytes:
        return data

    def push(self, chunk: bytes) -> bool:
        self._come("send", chunk)
        return True

    async def tear(self, act: Head | Send, at: int | float) -> None:
        self._come("tear", (act, at))

    async def raw(self, data: bytes) -> None:
        self._come("raw", data)

    async def go_away(self, code: ErrorCode) -> None:
        self._come("go away", code)

    async def finish(self) -> None:
        self._come("finish", None)

    async def hangup(self, connection: bool = False) -> None:
        self._come("hangup", connection)

    async def reset(self, code: ErrorCode = ErrorCode.INTERNAL_ERROR, connection: bool = False) -> None:
        self._come("reset", (code, connection))

    def leave(self) -> None:
        """The client leaves now."""
        if not self.left.done():
            self.left.set_result(None)

    def _come(self, name: str, what: object) -> None:
        if self.left.done():
            raise ClientLeft
        self.acts.append((name, what))
        if len(self.acts) == self._stays:
            self.leave()
