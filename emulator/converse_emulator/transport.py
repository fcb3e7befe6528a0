"""Real connections: each begins in the lane, where there is one, and goes on to uvicorn's side if need be."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING

from converse_emulator.errors import EmulatorError
from converse_emulator.http.asgi import App, Receive, Scope, Send
from converse_emulator.installed import ZTTP, lacks_http2, version_of
from converse_emulator.lanes import Lanes
from converse_emulator.outage import How, TurnedAway
from converse_emulator.playing.outages import Outages
from converse_emulator.wires.expectation import is_expected, saying_continue, withhold_continue
from converse_emulator.wires.http1 import Http1Wire
from converse_emulator.wires.uvicorn_wire import UvicornWire

if TYPE_CHECKING:
    from converse_emulator.lane import AnswerTo
    from converse_emulator.uvicorn_side import UvicornSide

UVICORN = "0.54"

logger = logging.getLogger(__name__)


class VersionMismatch(EmulatorError, RuntimeError):
    """The installed uvicorn or zttp is not one that the emulator knows."""


def check_versions() -> None:
    """Raise `VersionMismatch` if the installed uvicorn is not the one whose inside is known here."""
    if not (version := version_of("uvicorn")).startswith(f"{UVICORN}."):
        raise _mismatch(version)


def alpn() -> list[str]:
    """What a client may choose over TLS, the best first."""
    return ["http/1.1"] if lacks_http2() else ["h2", "http/1.1"]


def _mismatch(version: str, without: str = "") -> VersionMismatch:
    return VersionMismatch(
        f"the emulator's connections need uvicorn {UVICORN} with its zttp protocol; "
        f"installed is uvicorn {version}{without}. To repair it: pip install 'uvicorn=={UVICORN}.*'"
    )


class Connections:
    """Makes the protocol of each new connection, and ends them all.

    `answer_to` answers what is for the lane; without it, all is for uvicorn's side. `outages` is told whom an
    outage befalls; `withholds` says who is told no 100 Continue.
    """

    def __init__(
        self,
        app: App,
        answer_to: "AnswerTo | None" = None,
        outages: Outages | None = None,
        withholds: Callable[[Scope], bool] = lambda _: False,
    ) -> None:
        self._app = app
        self._withholds = withholds
        self._outages = outages or Outages()
        self._answer_to = answer_to
        self._lacks_http2 = lacks_http2()
        if self._lacks_http2:
            logger.warning("HTTP/2 is not offered: %s. pip install '%s' repairs it", self._lacks_http2, ZTTP)
        self._lanes = Lanes()
        self.outage: How | None = None
        self._silent: set[asyncio.BaseTransport] = set()

    @cached_property
    def _uvicorn_side(self) -> "UvicornSide":
        from converse_emulator.uvicorn_side import UvicornSide

        if self._lacks_http2:
            from converse_emulator import h11_side

            return UvicornSide(self._serve, h11_side.Connection)
        from converse_emulator import zttp_side

        if without := zttp_side.missing():
            raise _mismatch(version_of("uvicorn"), f", without {', '.join(without)}")
        return UvicornSide(self._serve, partial(zttp_side.Connection, self._answer_to))

    def __call__(self) -> asyncio.BaseProtocol:
        match self.outage:
            case None | "100-continue":
                return _Arrival(self)
            case "window":
                from converse_emulator.closed_window import ClosedWindow

                return ClosedWindow(self._silent, self._outages.meet)
            case how:
                return TurnedAway(how, self._silent, self._outages.meet)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What uvicorn's side calls."""
        if is_expected(scope):
            if self.outage == "100-continue":
                self._outages.meet(scope["state"]["transport"])
                withhold_continue(send)
            elif self._withholds(scope):
                withhold_continue(send)
            else:
                receive = saying_continue(scope, receive, send)
        await self._app(scope, receive, send)

    def begin(self, transport: asyncio.Transport) -> None:
        """Give a new connection its protocol."""
        # asyncio does it only for sockets that know they are TCP. Without, the second of two small writes
        # waits up to 40 ms for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = transport.get_extra_info("ssl_object")
        if self._answer_to is None or (tls and tls.selected_alpn_protocol() == "h2"):
            self._hand_over(transport, b"")
            return
        from converse_emulator.lane import Lane

        lane = Lane(self._answer_to, self._hand_over, self._lanes)
        transport.set_protocol(lane)
        lane.connection_made(transport)

    def _hand_over(self, transport: asyncio.Transport, received: bytes) -> None:
        try:
            protocol = self._uvicorn_side.protocol()
        except VersionMismatch:
            logger.exception("What is not for the lane cannot be served")
            transport.close()
            return
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if received:
            transport.get_protocol().data_received(received)  # type: ignore[attr-defined]

    def abort_silent(self) -> None:
        """Cut the connections that an outage has accepted and nobody answers."""
        for silent in list(self._silent):
            assert isinstance(silent, asyncio.Transport)
            silent.abort()
        self._silent.clear()

    async def abort(self, patience: float) -> None:
        """Cut all connections, and give their requests `patience` seconds to end."""
        self.abort_silent()
        transports: list[asyncio.BaseTransport] = [lane.transport for lane in self._lanes.open]
        tasks = set(self._lanes.tasks)
        if "_uvicorn_side" in self.__dict__:
            transports += self._uvicorn_side.transports
            tasks |= self._uvicorn_side.tasks
        for transport in transports:
            assert isinstance(transport, asyncio.Transport)
            self._outages.cut(transport)
            transport.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=patience)


class _Arrival(asyncio.Protocol):
    """A connection of which nothing is known yet."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._connections.begin(transport)


@asynccontextmanager
async def connected(scope: Scope, receive: Receive, send: Send) -> AsyncIterator[UvicornWire]:
    """The wire of a request that uvicorn passed to an ASGI application."""
    wire = _wire_of(scope, send)(scope, receive, send)
    try:
        yield wire
    finally:
        await wire.close()


def _wire_of(scope: Scope, send: Send) -> type[UvicornWire]:
    if scope["http_version"] == "2":
        from converse_emulator.wires.http2 import Http2Wire

        return Http2Wire
    if type(send.__self__).__module__.endswith("h11_impl"):  # type: ignore[attr-defined]
        from converse_emulator.wires.h11_wire import H11Wire

        return H11Wire
    return Http1Wire
