"""The wire of a connection in the lane (see `lane`): `Http1Wire` on a cycle of our own."""

import asyncio

from converse_emulator.http import asgi
from converse_emulator.http.framing import Framing, Headers
from converse_emulator.playing.acts import HttpHeaders
from converse_emulator.playing.wire import ClientLeft
from converse_emulator.wires.http1 import Http1Wire, content_length
from converse_emulator.wires.uvicorn_wire import raw_headers


class Flow:
    """Whether a transport takes more."""

    __slots__ = ("_resumed", "write_paused")

    def __init__(self) -> None:
        self.write_paused = False
        self._resumed: asyncio.Future[None] | None = None

    async def drain(self) -> None:
        """Wait until it does."""
        if self._resumed is None:
            self._resumed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._resumed)

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._resumed is not None:
            self._resumed.set_result(None)
            self._resumed = None


class Cycle:
    """One response on a connection: what uvicorn's cycle is to `UvicornWire`."""

    __slots__ = (
        "_transport",
        "conn",
        "disconnected",
        "flow",
        "keep_alive",
        "left",
        "response_complete",
        "response_started",
    )

    def __init__(self, conn: Framing, transport: asyncio.Transport, flow: Flow) -> None:
        self.conn = conn
        self.flow = flow
        self.disconnected = False
        self.keep_alive = True
        self.response_started = False
        self.response_complete = False
        self.left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport = transport

    async def send(self, message: asgi.Message) -> None:
        """Takes what ASGI's `send` does; nothing is written once the client is gone."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            self.response_started = True
            self.conn.send_response(message["status"], message["headers"])
        else:
            if message["body"]:
                self.conn.send_data(message["body"])
            if not message["more_body"]:
                self.conn.end_message()
                self.response_complete = True
        self._transport.write(self.conn.data_to_send())

    def begin(self, status: int, headers: Headers, data: bytes) -> None:
        """Write the head and the first of the body, now."""
        self.response_started = True
        self.conn.send_response(status, headers)
        self.conn.send_data(data)
        self._transport.write(self.conn.data_to_send())

    async def receive(self) -> asgi.Message:
        """The request is here already: what comes is the client's leaving."""
        await asyncio.shield(self.left)
        return {"type": "http.disconnect"}

    def disconnect(self) -> None:
        """The connection is lost."""
        self.disconnected = True
        if not self.left.done():
            self.left.set_result(None)


class LaneWire(Http1Wire):
    """A response in the lane."""

    def __init__(self, cycle: Cycle, transport: asyncio.Transport) -> None:
        super().__init__({"state": {"transport": transport}}, cycle.receive, cycle.send)

    async def begin(self, status: int, headers: HttpHeaders, data: bytes) -> None:
        cycle = self._cycle
        if cycle.disconnected or cycle.flow.write_paused or content_length(headers) is not None:
            await super().begin(status, headers, data)
        else:
            cycle.begin(status, raw_headers(headers), data)

    def chunk(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data)

    def push(self, chunk: bytes) -> bool:
        # As `Http1Wire` does it, in one step: this is where paced streams spend their time.
        cycle = self._cycle
        if cycle.disconnected:
            raise ClientLeft
        if cycle.flow.write_paused or not cycle.conn.chunked:
            return False
        self._transport.write(chunk)
        return True

    @property
    def left(self) -> "asyncio.Future[None]":
        left: asyncio.Future[None] = self._cycle.left
        return left
