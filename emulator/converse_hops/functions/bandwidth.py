"""A token bucket: so many bytes at once, and then so many in every tick."""

from dataclasses import dataclass, field
from math import ceil, floor


@dataclass(slots=True)
class Bucket:
    """`burst` bytes are there at first; every `tick` seconds brings `refill` bytes, up to `burst` again.

    Seconds are those of a clock that the caller has.
    """

    burst: int
    refill: int
    tick: float
    _tokens: int = field(init=False)
    _since: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def take(self, size: int, now: float) -> float:
        """Take `size` bytes; the seconds until they may go. More than there are is taken in advance."""
        if self._since is None:
            self._since = now
        ticks = floor((now - self._since) / self.tick)
        if ticks > 0:
            self._since += ticks * self.tick
            self._tokens = min(self.burst, self._tokens + ticks * self.refill)
        self._tokens -= size
        if self._tokens >= 0:
            return 0.0
        return self._since + ceil(-self._tokens / self.refill) * self.tick - now


def lambda_bandwidth() -> Bucket:
    """6 MiB at once, then 2 MiB a second in steps of 125 ms (the numbers of Lambda's runtime emulator)."""
    return Bucket(burst=6_291_456, refill=262_144, tick=0.125)
