"""A hop: a stand-in for something between a handler and a browser, in a thread of its own.

    with FunctionUrl(Function(["python", "app.py"])) as hop:
        requests.get(hop.url)
        assert hop.journal.last.held() == 0

Whatever stands behind a hop, its origin, is another hop or a URL: hops stack. A hop starts an origin that
does not run yet, and stops it again.
"""

import argparse
import socket
from types import TracebackType
from typing import ClassVar, Self

from converse_emulator.address import listen
from converse_emulator.loop_thread import LoopThread

from converse_hops.journal import Journal
from converse_hops.pace import Pace


class Hop:
    """Listens on one port from `start` to `stop`. A subclass says what it does there.

    `speed` scales all its clocks: at 60 a limit of a minute is up after a second. Port 0 is any free one.
    """

    listens: ClassVar[bool] = True  # else it is a client on both sides, and has no port

    def __init__(
        self, origin: "Hop | str | None" = None, *, host: str = "127.0.0.1", port: int = 0, speed: float = 1.0
    ) -> None:
        self.pace = Pace(speed)
        self.journal = Journal()
        self.url = ""  # http://HOST:PORT, known from `start` on
        self._origin = origin
        self._started_origin = False
        self._host = host
        self._port = port
        self._thread = LoopThread(type(self).__name__)

    async def _open(self, listening: socket.socket) -> None:
        """Accept connections on this socket, and return; runs in the hop's loop, as everything does."""
        raise NotImplementedError

    async def _close(self) -> None:
        """Accept no more, and cut what runs."""
        raise NotImplementedError

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """The options of `converse-emulator hop NAME`, besides those that all hops have."""

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """The hop that the command line asks for. Raises `ValueError` for what does not go together."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self._thread.running

    @property
    def chain(self) -> "list[Hop]":
        """This hop and those behind it in this process, in the order of a request's way."""
        return [self, *(self._origin.chain if isinstance(self._origin, Hop) else [])]

    @property
    def origin_url(self) -> str:
        """Where the hop passes things on to; known once that runs. No slash at its end."""
        assert self._origin is not None
        return (self._origin.url if isinstance(self._origin, Hop) else self._origin).rstrip("/")

    def start(self) -> Self:
        """Serve, until `stop`. Raises `OSError` if the port cannot be had."""
        if isinstance(self._origin, Hop) and not self._origin.running:
            self._origin.start()
            self._started_origin = True
        try:
            listening, self.url = listen(self._host, self._port)
            self._thread.start()
            self._thread.run(self._open(listening))
        except BaseException:
            if self.running:
                self._thread.stop()
                listening.close()
            self._stop_origin()
            raise
        return self

    def stop(self) -> None:
        """Cut what runs, and end; nothing happens if it does not run. The journal stays."""
        if self.running:
            self._thread.run(self._close())
            self._thread.stop()
            self._stop_origin()

    def _stop_origin(self) -> None:
        if self._started_origin and isinstance(self._origin, Hop):
            self._origin.stop()
            self._started_origin = False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
