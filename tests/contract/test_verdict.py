"""The words for what became of a case, and of a run."""

from collections.abc import Callable
from typing import Any

import pytest
from converse_contract.case import Case, Check, Evidence, Finding, Level, Limits
from converse_contract.verdict import Outcome, Result, Results, Verdict, judge

FINDING = Finding("this", "that")


def case(check: Check = lambda _: [], **members: Any) -> Case:
    about = {
        "id": "1.1",
        "title": "T.",
        "requirement": "It MUST.",
        "why": "W.",
        "scenario": "text/short-answer",
    }
    return Case(**{**about, "check": check, **members})


def results(*outcomes: Outcome) -> Results:
    found = tuple(Result(case(id=f"{n}.1"), Verdict(outcome)) for n, outcome in enumerate(outcomes, 1))
    return Results(
        found, "http://h", "http://e", Limits(), "converse-contract run http://h", 0.0, 1.0, {"1": "One"}
    )


def broken(_: Evidence) -> list[Finding]:
    raise KeyError("text_sent")


@pytest.mark.parametrize(
    ("check", "level", "verdict"),
    [
        (lambda _: [], Level.MUST, Verdict(Outcome.PASSED)),
        (lambda _: [], Level.SHOULD, Verdict(Outcome.PASSED)),
        (lambda _: [FINDING], Level.MUST, Verdict(Outcome.FAILED, (FINDING,))),
        (lambda _: [FINDING], Level.SHOULD, Verdict(Outcome.NON_STRICT, (FINDING,))),
        (broken, Level.MUST, Verdict(Outcome.CASE_BUG, reason="the check raised KeyError: 'text_sent'")),
        (broken, Level.SHOULD, Verdict(Outcome.CASE_BUG, reason="the check raised KeyError: 'text_sent'")),
    ],
)
def test_a_check_makes_a_verdict(
    check: Check, level: Level, verdict: Verdict, evidence_of: Callable[..., Evidence]
) -> None:
    assert judge(case(check, level=level), evidence_of()) == verdict


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], 0),
        ([Outcome.PASSED, Outcome.SKIPPED, Outcome.NON_STRICT], 0),
        ([Outcome.PASSED, Outcome.FAILED], 1),
        ([Outcome.FAILED, Outcome.COULD_NOT_RUN, Outcome.CASE_BUG], 1),
        ([Outcome.PASSED, Outcome.COULD_NOT_RUN], 2),
        ([Outcome.PASSED, Outcome.CASE_BUG], 2),
    ],
)
def test_the_exit_code_tells_broken_from_not_judged(outcomes: list[Outcome], code: int) -> None:
    assert results(*outcomes).exit_code == code


def test_results_are_told_by_section_in_order() -> None:
    run = results(Outcome.PASSED, Outcome.FAILED)
    assert [(title, len(section)) for title, section in run.by_section()] == [("1 One", 1), ("2", 1)]
    assert run.replay_of(run.results[1]) == "converse-contract run http://h --case 2.1"
    assert run.count(Outcome.FAILED) == 1
