"""Acts on HTTP/2: the connection carries other responses too, so an end is the stream's unless it is said
to be the connection's.

RST and FIN are both RST_STREAM then: INTERNAL_ERROR for a reset, CANCEL for a hang-up. Clients take the one
for an error and the other for an end, as they do with RST and FIN. What breaks the framing breaks the
connection for all of its streams, so the end that follows is the connection's.
"""

import asyncio
import socket
from functools import lru_cache

from converse_emulator.playing.acts import ErrorCode, HttpHeaders
from converse_emulator.wires.uvicorn_wire import POLL, UvicornWire

LINGER = 0.1  # seconds
_OF_THE_CONNECTION = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)


class Http2Wire(UvicornWire):
    """The response to one request: a stream."""

    async def head(self, status: int, headers: HttpHeaders) -> None:
        await super().head(status, headers)
        self._cycle.expected_content_length = None  # uvicorn would refuse a body of any other length

    def push(self, chunk: bytes) -> bool:
        return not self._cycle.stream.pending_bytes and super().push(chunk)

    async def send(self, data: bytes) -> None:
        while self._cycle.stream.pending_bytes and not self._cycle.disconnected:  # noqa: ASYNC110
            await asyncio.sleep(POLL)  # uvicorn would keep for the client whatever it does not take
        await super().send(data)

    async def raw(self, data: bytes) -> None:
        await super().raw(data)
        self._broken = True

    async def go_away(self, code: ErrorCode) -> None:
        await self._flowing()
        self._cycle.conn.close(code, self._cycle.stream.stream_id)
        self._flush()
        protocol = self._transport.get_protocol()
        protocol.shutdown_requested = True  # type: ignore[attr-defined]  # and so it ends after its last stream

    async def hangup(self, connection: bool = False) -> None:
        if connection or self._broken:
            await self._end_connection()
        else:
            await self._reset_stream(ErrorCode.CANCEL)

    async def reset(self, code: ErrorCode = ErrorCode.INTERNAL_ERROR, connection: bool = False) -> None:
        if connection or self._broken:
            await self._reset_connection()
        else:
            await self._reset_stream(code)

    async def _end_connection(self) -> None:
        """FIN, and a while in which the socket is still there: one that is gone answers whatever the client
        still says with RST, and that overtakes what was sent. Over TLS it ends as TLS does."""
        if self._transport.get_extra_info("ssl_object"):
            self._close_connection()
            return
        await self._drained()
        with self._socket.dup() as rest:
            rest.shutdown(socket.SHUT_WR)
            self._close_connection()
            await asyncio.sleep(LINGER)

    async def _reset_stream(self, code: ErrorCode) -> None:
        await self._drained()
        self._cycle.stream.reset(code)
        self._flush()
        self._cycle.disconnected = True  # nothing more is sent, and nothing is missing

    @property
    def _waiting(self) -> int:
        return super()._waiting + (self._cycle.stream.pending_bytes or 0)  # for the client to open its window

    def _inform(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._cycle.stream.send_informational(status, of_the_stream(headers))

    def _frame_head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._cycle.stream.send_response(status, of_the_stream(headers))

    def _frame_chunk(self, data: bytes) -> None:
        self._cycle.stream.send_data(data)


def of_the_stream(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers as HTTP/2 has them: in lower case, without those of the connection."""
    return [(lower, value) for name, value in headers if (lower := _name(name))]


@lru_cache(maxsize=256)
def _name(name: bytes) -> bytes:
    lower = name.lower()
    return b"" if lower in _OF_THE_CONNECTION else lower
