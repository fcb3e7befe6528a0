"""The response to one request as uvicorn's ASGI server takes it, whatever the version of HTTP.

What it uses of uvicorn's and zttp's inside, `transport` checks at start-up:

- a connection's transport, which `transport.Connection` puts into each ASGI scope;
- a request's cycle, the object that `send` is a method of: it frames by `conn`, and knows whether the client
  is gone.
"""

import asyncio
import socket
import struct
import sys
from abc import ABC, abstractmethod
from typing import Any

from converse_emulator.http import asgi
from converse_emulator.playing.acts import ErrorCode, Head, HttpHeaders, Send, part
from converse_emulator.playing.wire import ClientLeft

POLL = 0.001  # seconds between two looks at a buffer that must drain
SIOCOUTQNSD = 0x894B  # Linux: bytes of a socket's send queue that have not been sent


class UvicornWire(ABC):
    """The acts that are the same on both versions, and what the others are made of."""

    def __init__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        self._receive = receive
        self._send = send
        self._cycle: Any = send.__self__  # type: ignore[attr-defined]
        self._transport: asyncio.Transport = scope["state"]["transport"]
        self._socket = self._transport.get_extra_info("socket")
        self._left: asyncio.Task[None] | None = None
        self._lost = False  # we have ended the connection
        self._broken = False  # the connection's bytes are no HTTP any more: it can only end

    @property
    def left(self) -> "asyncio.Future[None]":
        if self._left is None:
            self._left = asyncio.get_running_loop().create_task(self._leaving())
        return self._left

    async def _leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def head(self, status: int, headers: HttpHeaders) -> None:
        if status < 200:
            await self._flowing()
            self._inform(status, raw_headers(headers))
            self._flush()
        else:
            message = {"type": "http.response.start", "status": status, "headers": raw_headers(headers)}
            await self._pass_on(message)

    async def begin(self, status: int, headers: HttpHeaders, data: bytes) -> None:
        await self.head(status, headers)
        await self.send(data)

    async def send(self, data: bytes) -> None:
        await self._pass_on({"type": "http.response.body", "body": data, "more_body": True})

    def chunk(self, data: bytes) -> bytes:
        return data

    def push(self, chunk: bytes) -> bool:
        if self._cycle.disconnected:
            raise ClientLeft
        if self._cycle.flow.write_paused:
            return False
        self._frame_chunk(chunk)
        self._flush()
        return True

    async def finish(self) -> None:
        if self._broken or not self._cycle.response_started:
            await self.hangup()
        else:
            await self._pass_on({"type": "http.response.body", "body": b"", "more_body": False})

    async def tear(self, act: Head | Send, at: int | float) -> None:
        await self._flowing()
        match act:
            case Head(status, headers):
                self._frame_head(status, raw_headers(headers))
            case Send(data):
                self._frame_chunk(data)
        self._transport.write(part(self._framed(), at))
        self._broken = True

    async def raw(self, data: bytes) -> None:
        await self._flowing()
        self._transport.write(data)

    @abstractmethod
    async def go_away(self, code: ErrorCode) -> None: ...

    @abstractmethod
    async def hangup(self, connection: bool = False) -> None: ...

    @abstractmethod
    async def reset(self, code: ErrorCode = ErrorCode.INTERNAL_ERROR, connection: bool = False) -> None: ...

    @abstractmethod
    def _inform(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Frame an interim response."""

    @abstractmethod
    def _frame_head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Frame the head of the response."""

    @abstractmethod
    def _frame_chunk(self, data: bytes) -> None:
        """Frame a chunk of the body."""

    @property
    def _waiting(self) -> int:
        """Bytes of the response that wait to be sent, here."""
        return _buffered(self._transport)

    async def _pass_on(self, message: asgi.Message) -> None:
        await self._send(message)
        if self._cycle.disconnected:  # then uvicorn drops the message silently
            raise ClientLeft

    async def _flowing(self) -> None:
        """Wait until the client has read enough for more to be written."""
        if self._cycle.flow.write_paused and not self._cycle.disconnected:
            await self._cycle.flow.drain()
        if self._cycle.disconnected:
            raise ClientLeft

    def _flush(self) -> None:
        self._transport.write(self._framed())

    def _framed(self) -> bytes:
        """What was framed and not yet sent."""
        framed: bytes = self._cycle.conn.data_to_send()
        return framed

    def _close_connection(self) -> None:
        self._transport.close()
        self._lost = True

    async def _reset_connection(self) -> None:
        await self._drained()
        no_linger = struct.pack("ii", 1, 0)  # closing sends RST
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        self._transport.abort()
        self._lost = True

    async def _drained(self) -> None:
        """Wait until all bytes have left: a reset overtakes those that have not."""
        while self._unsent():
            if self._cycle.disconnected or self._transport.is_closing():
                raise ClientLeft
            await asyncio.sleep(POLL)

    def _unsent(self) -> int:
        """Bytes that wait to be sent, here or in the kernel; of the kernel's only Linux tells."""
        waiting = self._waiting
        if waiting or sys.platform != "linux" or self._transport.is_closing():
            return waiting
        import fcntl

        return int.from_bytes(fcntl.ioctl(self._socket.fileno(), SIOCOUTQNSD, bytes(4)), sys.byteorder)

    async def close(self) -> None:
        """Leave nothing behind. Of a lost connection uvicorn must know before the application returns."""
        if self._lost:
            await self.left
        if self._left is not None:
            self._left.cancel()


def _buffered(transport: asyncio.Transport) -> int:
    """Bytes that wait in a transport; one that speaks TLS does not count those in the one below it."""
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    return transport.get_write_buffer_size() + (below.get_write_buffer_size() if below else 0)


def raw_headers(headers: HttpHeaders) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
