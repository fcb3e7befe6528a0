"""The clocks of a hop: at speed 60 a limit of 60 s is up after one second."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


class LimitReached(Exception):
    """A limit of a hop was up. `name` and `seconds` as its documentation has them, before any scaling."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(f"{name} of {seconds:g} s")
        self.name = name
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Pace:
    """Turns the seconds of documents into seconds of this machine."""

    speed: float = 1.0

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"the speed must be more than 0, not {self.speed}")

    def now(self) -> float:
        """A monotonic clock in the documents' seconds."""
        return time.monotonic() * self.speed

    def real(self, seconds: float) -> float:
        """How long that is here."""
        return seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(self.real(seconds))

    @asynccontextmanager
    async def limit(self, name: str, seconds: float | None) -> AsyncIterator[None]:
        """Raise `LimitReached` when what is inside takes longer; None is no limit."""
        if seconds is None:
            yield
            return
        clock = asyncio.timeout(self.real(seconds))
        try:
            async with clock:
                yield
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise LimitReached(name, seconds) from error
