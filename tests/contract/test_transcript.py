"""What arrived: the views on it, and how it is told."""

from collections.abc import Callable
from typing import get_args

import pytest
from converse_contract.transcript import (
    Ending,
    Failed,
    Finished,
    Heartbeat,
    Sentinel,
    Started,
    Text,
    Thinking,
    Transcript,
    explain,
    how_it_ended,
)

Make = Callable[..., Transcript]


def test_the_text_is_that_of_text_events_only(transcript_of: Make) -> None:
    transcript = transcript_of(Started(), Thinking("Hm"), Text("a"), Heartbeat(), Text("b"))
    assert transcript.text == "ab"
    assert list(transcript.of(Text)) == [Text("a"), Text("b")]


def test_the_first_terminal_event_counts(transcript_of: Make) -> None:
    first, second = Finished("end_turn", False), Failed("internal", "x", True, True)
    assert transcript_of(Text("a"), first, second).terminal == first
    assert transcript_of(Text("a"), second, first).terminal == second
    assert transcript_of(Text("a"), Sentinel()).terminal is None


def test_first_tells_when_it_came(transcript_of: Make) -> None:
    transcript = transcript_of(Started(), Text("a"), Text("b"), every=0.5)
    first = transcript.first(Text)
    assert first is not None
    assert (first.at, first.event, first.id) == (1.0, Text("a"), "2")
    assert transcript.first(Failed) is None


def test_headers_are_found_in_any_case(transcript_of: Make) -> None:
    transcript = transcript_of(headers=(("x-a", "1"), ("x-a", "2")))
    assert transcript.header("X-A") == "1"
    assert transcript.header("x-b") is None


def test_an_event_is_told_with_what_it_says() -> None:
    assert explain(Finished("end_turn", False, 3, None)) == (
        "Finished(stop_reason='end_turn', truncated=False, input_tokens=3)"
    )
    assert explain(Started()) == "Started"


@pytest.mark.parametrize("ending", get_args(Ending))
def test_every_ending_has_words(transcript_of: Make, ending: Ending) -> None:
    assert how_it_ended(transcript_of(ending=ending, ended_at=0.25)).endswith("at +0.250 s")
