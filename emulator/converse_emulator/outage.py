"""Outages of the whole server: for a while nobody gets through to it, or something is missing.

    refuse        nobody listens: a client's connection is refused
    silent        connections are accepted, and nothing is read or answered
    window        clients get no window for the bodies of their requests (see `closed_window`)
    close         connections are closed (FIN) as soon as they are accepted
    reset         connections are reset (RST) as soon as they are accepted
    100-continue  the bodies of requests are awaited without that word

No request has come by then, so it is no scenario's: a test or a control route begins it. Connections that are
there when it begins are cut, and when it ends so are those that it let wait. The journal tells them all (see
`playing.outages`).
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from converse_emulator.errors import EmulatorError

How = Literal["refuse", "silent", "window", "close", "reset", "100-continue"]
HOWS: tuple[How, ...] = ("refuse", "silent", "window", "close", "reset", "100-continue")
Begin = Callable[[How, float], Coroutine[Any, Any, None]]
Meet = Callable[[asyncio.BaseTransport], None]  # notes a connection that came during an outage
LONGEST = 3600.0  # seconds


class BadOutage(EmulatorError, ValueError):
    """An outage that cannot be."""


def checked(how: object, seconds: object) -> tuple[How, float]:
    """What was asked for; raises `BadOutage`."""
    if how not in HOWS:
        raise BadOutage(f"an outage is one of {', '.join(HOWS)}, not {how!r}")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST:
        raise BadOutage(f"an outage lasts more than 0 and at most {LONGEST:g} seconds, not {seconds!r}")
    return how, float(seconds)


class TurnedAway(asyncio.Protocol):
    """A connection that is accepted during an outage."""

    def __init__(self, how: How, silent: set[asyncio.BaseTransport], meet: Meet) -> None:
        self._how = how
        self._silent = silent
        self._meet = meet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._meet(transport)
        if self._how == "silent":
            transport.pause_reading()
            self._silent.add(transport)
        elif self._how == "reset":
            no_linger = struct.pack("ii", 1, 0)  # closing sends RST
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
            transport.abort()
        else:
            transport.close()
