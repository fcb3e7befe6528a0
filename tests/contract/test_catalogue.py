"""The catalogue itself is in order: before anybody's handler is judged by it."""

from dataclasses import replace
from typing import Any

import pytest
from converse_contract.case import Case, Level, Limits
from converse_contract.catalogue import CASES, SECTIONS, faults
from converse_contract.checks import one_terminal
from converse_contract.demo import LIMITS
from converse_emulator.language.library import Library
from converse_emulator.language.loader import reply_from

GOOD = Case(
    id="1.1",
    title="A short answer.",
    requirement="The handler MUST answer.",
    why="It may not.",
    scenario="text/short-answer",
    check=one_terminal,
)


def library() -> set[str]:
    return set(Library([]).names())


def found(*cases: Case) -> list[str]:
    return list(faults(cases, {"text/short-answer"}.__contains__))


def test_the_catalogue_has_no_faults() -> None:
    assert list(faults(CASES, library().__contains__)) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"id": "77.1"}, "77.1: there is no such section"),
        ({"requirement": "The handler answers."}, "1.1: the requirement is no sentence with MUST"),
        ({"requirement": "The handler MUST answer"}, "1.1: the requirement is no sentence with MUST"),
        ({"level": Level.SHOULD}, "1.1: the requirement is no sentence with SHOULD"),
        ({"needs": frozenset({"wings"})}, "1.1: needs wings, which is no capability"),
        ({"scenario": "text/nowhere"}, "1.1: the library has no scenario text/nowhere"),
        ({"scenario": lambda _limits: ["Hi"]}, None),
    ],
)
def test_a_fault_of_a_case_is_found(changes: dict[str, Any], fault: str | None) -> None:
    assert found(replace(GOOD, **changes)) == ([fault] if fault else [])


def test_an_id_is_given_once() -> None:
    assert found(GOOD, replace(GOOD, title="Another.")) == ["1.1: 2 cases have this id"]


def test_the_cases_are_numbered_through_in_the_order_of_the_sections() -> None:
    assert len(CASES) >= 40
    for section in SECTIONS:
        numbers = [int(case.id.partition(".")[2]) for case in CASES if case.id.startswith(f"{section}.")]
        assert numbers == list(range(1, len(numbers) + 1))
    sections = [int(case.id.partition(".")[0]) for case in CASES]
    assert sections == sorted(sections)
    assert list(SECTIONS) == sorted(SECTIONS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_says_what_it_does_and_why(case: Case) -> None:
    assert case.title.endswith(".")
    assert case.why.endswith((".", "”"))
    assert len(case.why) > 40


@pytest.mark.parametrize("limits", [Limits(), LIMITS], ids=["defaults", "short"])
@pytest.mark.parametrize(
    "case", [case for case in CASES if not isinstance(case.scenario, str)], ids=lambda case: case.id
)
def test_replies_that_a_case_has_itself_can_be_played(case: Case, limits: Limits) -> None:
    for reply in case.script(limits):
        assert reply_from(reply)


def test_a_title_says_one_thing_once() -> None:
    """Two cases with the same title would be one promise under two numbers."""
    titles = [case.title for case in CASES]
    assert sorted({title for title in titles if titles.count(title) > 1}) == []
