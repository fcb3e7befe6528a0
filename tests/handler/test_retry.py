"""When a call is made again, and after how long."""

import pytest
from converse_handler.retry import Retries
from hypothesis import given
from hypothesis import strategies as st

RETRIES = Retries(attempts=3, backoff=0.2)


@pytest.mark.parametrize(
    ("attempt", "started", "allowed"),
    [(1, False, True), (2, False, True), (3, False, False), (1, True, False)],
)
def test_while_nothing_was_sent_and_attempts_are_left(attempt: int, started: bool, allowed: bool) -> None:
    assert RETRIES.allow(attempt, started=started) is allowed


@given(st.integers(1, 20), st.floats(0, 1, exclude_max=True))
def test_the_pause_is_anywhere_in_a_doubling_span(attempt: int, chance: float) -> None:
    assert 0 <= RETRIES.pause(attempt, chance) <= 0.2 * 2 ** (attempt - 1)


def test_the_span_is_used_in_full() -> None:
    assert [RETRIES.pause(attempt, 0.5) for attempt in (1, 2, 3)] == [0.1, 0.2, 0.4]
    assert RETRIES.pause(3, 0.0) == 0.0


def test_the_pause_is_never_shorter_than_what_the_service_asked_for() -> None:
    assert RETRIES.pause(1, 0.5, asked_for=1.5) == 1.5
    assert RETRIES.pause(5, 0.5, asked_for=1.5) == 1.6
