"""The clocks of a proxy, in seconds; None is a clock that it does not have."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from converse_hops.pace import LimitReached, Pace

CONNECTION, IDLE, READ, COMPLETION = (
    "connection timeout",
    "idle timeout",
    "read timeout",
    "completion timeout",
)


@dataclass(frozen=True, slots=True)
class Clocks:
    """`idle`: without a byte either way. `read`: until the origin says something, at first and between."""

    connection: float | None = 10.0  # until the origin has taken the connection
    idle: float | None = None
    read: float | None = None
    completion: float | None = None  # of the whole exchange


@asynccontextmanager
async def restarting(pace: Pace, name: str, seconds: float | None) -> AsyncIterator[Callable[[], None]]:
    """Raise `LimitReached` when nothing moved for so long; what it gives out says that something did."""
    if seconds is None:
        yield lambda: None
        return
    loop, real = asyncio.get_running_loop(), pace.real(seconds)
    clock = asyncio.timeout(real)
    try:
        async with clock:
            yield lambda: clock.reschedule(loop.time() + real)
    except TimeoutError as error:
        if not clock.expired():
            raise
        raise LimitReached(name, seconds) from error


def within(name: str, seconds: float, least: float, most: float) -> float:
    """The seconds, which must be between `least` and `most`; else ValueError."""
    if not least <= seconds <= most:
        raise ValueError(f"{name} must be {least:g} to {most:g} seconds, not {seconds:g}")
    return seconds
