"""How late the emulator's own writes are: what it adds to what was scripted."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence

BOUNDS: Sequence[float] = (  # seconds, the upper ends of the counts
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
)
LAST = 4096  # writes whose lateness is kept one by one


class Lateness:
    """Counts since the start, and the last ones exactly. Seconds after the planned moment."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)  # up to each bound, and beyond the last
        self.sum = 0.0
        self._last = array("d")

    @property
    def number(self) -> int:
        return sum(self.counts)

    def add(self, seconds: float) -> None:
        """One more write."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds
        self._last.append(seconds)
        if len(self._last) >= 2 * LAST:
            del self._last[:LAST]

    def quantile(self, part: float) -> float:
        """What that part of the last writes kept to; 0 if there were none."""
        last = sorted(self._last[-LAST:])
        return last[min(len(last) - 1, int(part * len(last)))] if last else 0.0
