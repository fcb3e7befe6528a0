"""The catalogue itself is in order: before anybody's handler is judged by it."""

from dataclasses import replace
from typing import Any

import pytest
from converse_contract.case import Case, Level, Limits
from converse_contract.catalogue import CASES, DELIVERY, SECTIONS, faults
from converse_contract.checks import one_terminal
from converse_contract.delivery import PATHS, Tuning
from converse_contract.delivery.case import PathCase
from converse_contract.demo import LIMITS
from converse_emulator.language.library import Library
from converse_emulator.language.loader import reply_from

ALL: tuple[Case, ...] = (*CASES, *DELIVERY)
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
    assert list(faults(ALL, library().__contains__)) == []


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
    assert len(DELIVERY) >= 20
    for section in SECTIONS:
        numbers = [int(case.id.partition(".")[2]) for case in ALL if case.id.startswith(f"{section}.")]
        assert numbers == list(range(1, len(numbers) + 1))
    sections = [int(case.id.partition(".")[0]) for case in ALL]
    assert sections == sorted(sections)
    assert list(SECTIONS) == sorted(SECTIONS, key=int)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_a_case_says_what_it_does_and_why(case: Case) -> None:
    assert case.title.endswith(".")
    assert case.why.endswith((".", "”"))
    assert len(case.why) > 40


@pytest.mark.parametrize("limits", [Limits(), LIMITS], ids=["defaults", "short"])
@pytest.mark.parametrize(
    "case", [case for case in ALL if not isinstance(case.scenario, str)], ids=lambda case: case.id
)
def test_replies_that_a_case_has_itself_can_be_played(case: Case, limits: Limits) -> None:
    for reply in case.script(limits):
        assert reply_from(reply)


def test_a_title_says_one_thing_once() -> None:
    """Two cases with the same title would be one promise under two numbers."""
    titles = [case.title for case in ALL]
    assert sorted({title for title in titles if titles.count(title) > 1}) == []


@pytest.mark.parametrize("case", DELIVERY, ids=lambda case: case.id)
def test_a_case_of_delivery_is_about_some_path_and_tuned_for_it(case: PathCase) -> None:
    assert case.paths
    assert set(case.paths) <= PATHS.keys()
    tuning = case.tuning(LIMITS)
    assert isinstance(tuning, Tuning)
    if tuning.idle is not None:
        assert all(PATHS[name].idle is not None for name in case.paths)
        assert LIMITS.heartbeat < tuning.idle


def test_every_path_is_walked_by_many_cases() -> None:
    for name in PATHS:
        assert sum(name in case.paths for case in DELIVERY) >= 15
