"""The emulator's own timing error: counted, and exact for the last writes."""

import pytest
from converse_emulator.playing.lateness import BOUNDS, LAST, Lateness


def test_nothing_is_late_before_anything_was_written() -> None:
    lateness = Lateness()
    assert (lateness.number, lateness.sum, lateness.quantile(0.99)) == (0, 0.0, 0.0)


def test_quantiles_are_those_of_the_last_writes() -> None:
    lateness = Lateness()
    for number in range(100):
        lateness.add(number / 1000)
    assert lateness.quantile(0.5) == pytest.approx(0.05)
    assert lateness.quantile(0.99) == pytest.approx(0.099)
    for _ in range(3 * LAST):
        lateness.add(0.007)
    assert lateness.quantile(0.0) == lateness.quantile(1.0) == 0.007
    assert lateness.number == 100 + 3 * LAST
    assert len(lateness._last) < 2 * LAST


def test_a_write_is_counted_up_to_the_next_bound() -> None:
    lateness = Lateness()
    for seconds in (0.0, BOUNDS[0], 0.0002, 60.0):
        lateness.add(seconds)
    assert lateness.counts[:2] == [2, 1]
    assert lateness.counts[-1] == 1
    assert lateness.sum == pytest.approx(60.0003)
