"""Outages of the whole server as the journal tells them: no exchange was begun, and yet something happened.

Used in the server's loop only, as the journal is. What is given out never changes.
"""

import asyncio
import time
from collections import deque
from typing import NamedTuple

from converse_emulator.language.scenario import Json

MOST_OUTAGES = 100  # the oldest are dropped
MOST_CONNECTIONS = 100  # that are told of one; those that come later are counted


class Met(NamedTuple):
    """A connection that an outage befell."""

    at: float  # seconds after the outage began
    peer: str  # the client's address, 127.0.0.1:50000
    what: str  # cut: it was there when the outage began; else what kind of outage it met


class Outage(NamedTuple):
    """For a while nobody got through (see `converse_emulator.outage`)."""

    how: str
    seconds: float  # that it was to last
    started_at: float  # seconds since the epoch
    ended_at: float | None = None  # None: it is still on
    cut: int = 0  # connections that were there when it began
    met: int | None = 0  # connections that came, or requests that no 100 Continue was said to; None: unknown
    connections: tuple[Met, ...] = ()  # the first of them

    def as_json(self) -> dict[str, Json]:
        """The outage as a JSON object with the attributes as keys."""
        return {**self._asdict(), "connections": [each._asdict() for each in self.connections]}


class Outages:
    """The last ones, newest last; at most one is on."""

    def __init__(self) -> None:
        self._kept: deque[Outage] = deque(maxlen=MOST_OUTAGES)
        self._on: Outage | None = None
        self._begun = 0.0  # on the clock that never jumps

    def all(self) -> list[Outage]:
        return [*self._kept, *([self._on] if self._on else [])]

    def begin(self, how: str, seconds: float) -> None:
        """It begins; one that was on is over."""
        self.end()
        # Nobody listens: the kernel refuses who comes, and tells nobody.
        self._on = Outage(how, seconds, time.time(), met=None if how == "refuse" else 0)
        self._begun = time.monotonic()

    def end(self) -> None:
        """It is over; nothing happens if none is on."""
        if self._on:
            self._kept.append(self._on._replace(ended_at=time.time()))
        self._on = None

    def cut(self, transport: asyncio.BaseTransport) -> None:
        """This connection was there when it began, and is cut now."""
        if self._on:
            self._on = self._on._replace(cut=self._on.cut + 1, connections=self._with(transport, "cut"))

    def meet(self, transport: asyncio.BaseTransport) -> None:
        """This connection, or a request on it, came while it was on."""
        if self._on:
            met, connections = (self._on.met or 0) + 1, self._with(transport, self._on.how)
            self._on = self._on._replace(met=met, connections=connections)

    def forget(self) -> None:
        """All that are over."""
        self._kept.clear()

    def _with(self, transport: asyncio.BaseTransport, what: str) -> tuple[Met, ...]:
        assert self._on
        told = self._on.connections
        if len(told) == MOST_CONNECTIONS:
            return told
        return (*told, Met(time.monotonic() - self._begun, _peer(transport), what))


def _peer(transport: asyncio.BaseTransport) -> str:
    name = transport.get_extra_info("peername")
    if not isinstance(name, tuple):
        return "unknown"
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
