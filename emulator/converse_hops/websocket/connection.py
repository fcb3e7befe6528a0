"""One client's connection as its API keeps it: what may be done with it, and what waits for the client."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import OPEN

from converse_hops.passage import Passage
from converse_hops.websocket.events import NORMAL, Opening
from converse_hops.websocket.limits import FRAME

FLUSH = (
    1.0  # seconds, of this machine, that a client has to take what was posted before a connection is deleted
)


class Gone(Exception):
    """The connection is not open: `$connect` has not returned yet, or it is over."""


class Full(Exception):
    """The client takes less than it is sent, and no more may wait for it."""


class Connection:
    """`buffer`: bytes that may wait for the client."""

    def __init__(self, opening: Opening, buffer: int, passage: Passage) -> None:
        self.opening = opening
        self.active_at = opening.connected_at
        self.active = asyncio.get_running_loop().time()  # the same moment on the loop's clock
        self._buffer = buffer
        self._passage = passage
        self._socket: ServerConnection | None = None
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queued = 0  # bytes
        self._closing: asyncio.Task[None] | None = None  # deleted

    def open(self, socket: ServerConnection) -> None:
        """The handshake is done: from now on it can be written to."""
        self._socket = socket
        self.touch()

    def touch(self) -> None:
        """A message went either way: the idle time begins anew."""
        self.active_at, self.active = datetime.now(UTC), asyncio.get_running_loop().time()

    def post(self, data: bytes, whose: str = "") -> None:
        """Send a message, some time. Raises `Gone` and `Full`."""
        waiting = self._queued + self._opened().transport.get_write_buffer_size()
        if waiting and waiting + len(data) > self._buffer:
            raise Full
        self._passage.note("down", "received", len(data), whose)
        self._queued += len(data)
        self._queue.put_nowait(data)
        self.touch()

    def delete(self) -> None:
        """Close it once what was posted is sent, as users of the API report: with 1000. Raises `Gone`."""
        self._closing = asyncio.create_task(self._close(self._opened()))

    async def _close(self, socket: ServerConnection) -> None:
        with suppress(TimeoutError):  # a client that does not read is not waited for
            async with asyncio.timeout(FLUSH):
                await self._queue.join()
        await socket.close(NORMAL)

    async def write(self) -> None:
        """Send what is posted, for as long as the connection is open, in frames of at most 32 KB.

        UTF-8 becomes a text message, anything else a binary one (inferred: AWS does not say).
        """
        socket = self._opened()
        try:
            while True:
                data = await self._queue.get()
                frames = [data[at : at + FRAME] for at in range(0, len(data), FRAME)] or [b""]
                await socket.send(frames, text=_is_text(data))
                self._queued -= len(data)
                self._queue.task_done()
                self._passage.note("down", "passed", len(data))
        except ConnectionClosed:
            pass  # what still waits is lost, as it is there

    def _opened(self) -> ServerConnection:
        if self._socket is None or self._closing or self._socket.state is not OPEN:
            raise Gone
        return self._socket


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
