"""A stretch of network: bytes take their time each way, and are counted as they are on the wire."""

import asyncio
import socket
import time
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from converse_emulator.address import listen
from converse_emulator.loop_thread import LoopThread


class Relay:
    """Between its `url` and `origin` every byte is `delay` seconds late, in either direction.

    Connections are made at once: a page has its connection before it asks.
    """

    def __init__(self, origin: str, delay: float) -> None:
        parts = urlsplit(origin)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._delay = delay
        self._thread = LoopThread("Relay")
        self._server: asyncio.Server
        self.url = ""
        self.down = 0  # bytes to whoever connects here
        self.asked: list[float] = []  # the moments at which bytes came from there, in epoch seconds

    def instead_of(self, url: str) -> str:
        """This URL, by way of the relay."""
        return url.replace(urlsplit(url).netloc, urlsplit(self.url).netloc, 1)

    def __enter__(self) -> Self:
        listening, self.url = listen("127.0.0.1", 0)
        self._thread.start()
        self._thread.run(self._open(listening))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._thread.run(self._close())
        self._thread.stop()

    async def _open(self, listening: socket.socket) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._connected, sock=listening)

    async def _close(self) -> None:
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        with suppress(OSError, asyncio.CancelledError):
            try:
                behind, onward = await asyncio.open_connection(self._host, self._port)
            except OSError:
                writer.transport.abort()
                return
            try:
                await asyncio.gather(
                    self._pass(reader, onward, down=False), self._pass(behind, writer, down=True)
                )
            finally:
                onward.close()
                writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool) -> None:
        """Pass on what comes, late, and the end of it."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def write() -> None:
            data = b"-"
            while data:
                due, data = await waiting.get()
                await asyncio.sleep(due - loop.time())
                if data:
                    writer.write(data)
                    await writer.drain()
            with suppress(OSError):
                writer.write_eof()

        writing = asyncio.create_task(write())
        try:
            data = b"-"
            while data:
                data = await reader.read(65536)
                if down:
                    self.down += len(data)
                elif data:
                    self.asked.append(time.time())
                waiting.put_nowait((loop.time() + self._delay, data))
            await writing
        finally:
            writing.cancel()
