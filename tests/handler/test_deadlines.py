"""The three timeouts, as arithmetic."""

from converse_handler.deadlines import Deadline, Deadlines, Limits

LIMITS = Limits(first_byte=3, between_bytes=30, total=900)


def test_before_the_first_event_the_first_byte_is_due() -> None:
    assert Deadlines(LIMITS, answer_began=10, call_began=12).next == Deadline(15, "first_byte_timeout")


def test_after_an_event_the_next_one_is_due() -> None:
    deadlines = Deadlines(LIMITS, answer_began=10, call_began=12).heard(14)
    assert deadlines.next == Deadline(44, "between_bytes_timeout")
    assert deadlines.heard(20).next == Deadline(50, "between_bytes_timeout")


def test_the_total_comes_first_when_it_is_earlier() -> None:
    deadlines = Deadlines(LIMITS, answer_began=10, call_began=12)
    assert deadlines.heard(900).next == deadlines.total == Deadline(910, "total_timeout")
    assert deadlines.calling(909).next == Deadline(910, "total_timeout")


def test_a_further_call_waits_for_a_first_byte_of_its_own() -> None:
    deadlines = Deadlines(LIMITS, answer_began=10, call_began=12).heard(14).calling(50)
    assert deadlines.next == Deadline(53, "first_byte_timeout")
    assert deadlines.total == Deadline(910, "total_timeout")
