"""Acts on HTTP/1.1: one response at a time on a connection, so every end of one may be the connection's."""

from converse_emulator.playing.acts import ErrorCode, Head, HttpHeaders, Send, part
from converse_emulator.wires.uvicorn_wire import UvicornWire


class Http1Wire(UvicornWire):
    """The response to one request, on a connection of its own or kept alive."""

    _owed: int | None = None  # bytes of the body that the Content-Length still promises

    async def head(self, status: int, headers: HttpHeaders) -> None:
        await super().head(status, headers)
        if status >= 200:
            self._owed = content_length(headers)

    async def send(self, data: bytes) -> None:
        beyond = b""
        if self._owed is not None:
            data, beyond = data[: self._owed], data[self._owed :]
            self._owed -= len(data)
        if data:
            await super().send(data)
        if beyond:  # uvicorn would refuse what the head has not promised
            await self.raw(beyond)

    def push(self, chunk: bytes) -> bool:
        return self._owed is None and super().push(chunk)

    async def tear(self, act: Head | Send, at: int | float) -> None:
        if self._owed is None or isinstance(act, Head):
            await super().tear(act, at)
        else:  # there are no chunks, and a part of more than was promised must be possible
            await self.raw(part(act.data, at))
            self._broken = True

    async def finish(self) -> None:
        self._broken |= bool(self._owed)  # the client waits for bytes that will not come
        await super().finish()

    async def go_away(self, code: ErrorCode) -> None:
        del code  # there is no such word
        self._cycle.keep_alive = False

    async def hangup(self, connection: bool = False) -> None:
        del connection  # it always is
        self._close_connection()

    async def reset(self, code: ErrorCode = ErrorCode.INTERNAL_ERROR, connection: bool = False) -> None:
        del code, connection
        await self._reset_connection()

    def _inform(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._cycle.conn.send_informational(status, headers)

    def _frame_head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._cycle.conn.send_response(status, headers)

    def _frame_chunk(self, data: bytes) -> None:
        self._cycle.conn.send_data(data)


def content_length(headers: HttpHeaders) -> int | None:
    return next((int(value) for name, value in headers if name.lower() == "content-length"), None)
