"""Outcomes: what a script tells and the journal counts, and how that is held against what is expected."""

from typing import Any

import pytest

from conformance.outcome import Outcome, differences, outcome_of, outcome_of_table

SEEN: dict[str, Any] = {
    "text": "Your",
    "tools": [],
    "stop": None,
    "usage": None,
    "error_class": None,
    "error_text": None,
}


def failed(text: str) -> str:
    return outcome_of(SEEN | {"error_class": "Oops", "error_text": text}, []).error


@pytest.mark.parametrize(
    ("text", "lasting"),
    [
        ("a\n  b", "a b"),
        ("no http://127.0.0.1:4711/session/x/scenario/a/b, sorry", "no URL, sorry"),
        ("port=4711", "port=PORT"),
        ("expected 0x1f, calculated 0xab12", "expected 0xN, calculated 0xN"),
        ("checksum 3735928559", "checksum N"),
        ("claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929-v1:0"),
        ("at Mon, 23 Nov 2026 20:31:56 GMT!", "at DATE!"),
        ("id 0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f", "id UUID"),
        ("broken Traceback (most recent call last): File x", "broken"),
        ("x" * 400, "x" * 300),
    ],
)
def test_of_an_error_the_part_that_lasts_is_kept(text: str, lasting: str) -> None:
    assert failed(text) == f"Oops: {lasting}"


def test_an_outcome_survives_its_table() -> None:
    outcome = Outcome("Hi", ({"name": "t", "input": {}},), "end_turn", True, "E: x", 3, 1)
    assert outcome_of_table(outcome.as_table()) == outcome
    assert outcome_of_table(Outcome().as_table()) == Outcome()


def test_a_difference_names_the_member() -> None:
    assert differences(Outcome(stop="a", requests=1), Outcome(stop="b", requests=1)) == [
        "stop is 'a', expected 'b'"
    ]
    assert differences(Outcome(text="a"), Outcome(text="a")) == []


def test_less_text_is_no_difference_only_where_the_stream_broke() -> None:
    expected = Outcome(text="Your subscription", error="E: x")
    assert differences(Outcome(text="Your", error="E: x"), expected) == []
    assert differences(Outcome(text="My", error="E: x"), expected) != []
    assert differences(Outcome(text="Your subscription renews", error="E: x"), expected) != []
    assert differences(Outcome(text="Your"), Outcome(text="Your subscription")) != []
