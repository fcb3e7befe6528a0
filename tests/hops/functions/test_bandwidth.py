"""The token bucket, by a clock of its own."""

from converse_hops.functions.bandwidth import Bucket, lambda_bandwidth
from hypothesis import given
from hypothesis import strategies as st

MIB = 1_048_576


def test_lambda_lets_6_mib_go_at_once_and_then_2_mib_a_second() -> None:
    bucket = lambda_bandwidth()
    assert bucket.take(6 * MIB, now=100.0) == 0
    assert bucket.take(1, now=100.0) == 0.125
    assert bucket.take(262_143, now=100.0) == 0.125
    assert bucket.take(262_144, now=100.125) == 0.125
    assert bucket.take(2 * MIB, now=100.25) == 1.0


def test_it_fills_again_up_to_the_burst() -> None:
    bucket = Bucket(burst=10, refill=1, tick=1.0)
    bucket.take(10, now=0.0)
    assert bucket.take(3, now=3.0) == 0
    assert bucket.take(10, now=100.0) == 0
    assert bucket.take(1, now=100.5) == 0.5


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 3)), max_size=40))
def test_never_more_than_the_burst_and_the_refill(steps: list[tuple[int, float]]) -> None:
    bucket, now, sent, first = Bucket(burst=20, refill=5, tick=0.5), 0.0, 0, None
    for size, pause in steps:
        now += pause
        first = now if first is None else first
        now += bucket.take(size, now)
        sent += size
        assert sent <= 20 + 5 * ((now - first) / 0.5) + 1e-6
