"""How late the emulator's own writes are: what it adds to what was scripted."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from operator import add

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
        self._counts = [0] * (len(BOUNDS) + 1)  # of those that are not kept any more
        self._sum = 0.0
        self._last = array("d")

    @property
    def number(self) -> int:
        return sum(self._counts) + len(self._last)

    @property
    def sum(self) -> float:
        return self._sum + sum(self._last)

    @property
    def counts(self) -> list[int]:
        """How many up to each bound, and beyond the last."""
        return list(map(add, self._counts, _counted(self._last)))

    def add(self, seconds: float) -> None:
        """One more write."""
        self._last.append(seconds)
        if len(self._last) >= 2 * LAST:
            oldest = self._last[:LAST]
            self._counts = list(map(add, self._counts, _counted(oldest)))
            self._sum += sum(oldest)
            del self._last[:LAST]

    def quantile(self, part: float) -> float:
        """What that part of the last writes kept to; 0 if there were none."""
        last = sorted(self._last[-LAST:])
        return last[min(len(last) - 1, int(part * len(last)))] if last else 0.0


def _counted(seconds: Sequence[float]) -> list[int]:
    """How many up to each bound, and beyond the last."""
    ordered = sorted(seconds)
    ends = [0, *(bisect_right(ordered, bound) for bound in BOUNDS), len(ordered)]
    return [end - start for start, end in pairwise(ends)]
