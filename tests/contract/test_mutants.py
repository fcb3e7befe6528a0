"""The catalogue is able to fail: every mutant is caught by the cases it names, every case catches a mutant.

That the reference handler passes every case is the third law, in `contract_tests/test_reference_handler.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import pytest
from converse_contract import Case, Outcome, ReferenceDialect, Target, Verdict, run
from converse_contract.catalogue import CASES
from converse_contract.demo import LIMITS
from converse_contract.mutants import MUTANTS
from converse_contract.report.text import render
from converse_contract.serving import environment, serving

AT_ONCE = 8  # mutants
CAUGHT = (Outcome.FAILED, Outcome.NON_STRICT)

one_process = pytest.mark.xdist_group("contract")


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with serving("converse_emulator", "serve", "--port", "0") as url:
        yield url


@pytest.fixture(scope="module")
def verdicts(emulator: str, request: pytest.FixtureRequest) -> Mapping[str, Mapping[str, Verdict]]:
    """What became of each mutant's cases: by mutant, by case."""
    asked = [
        str(item.callspec.params["mutant"])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.path == request.path
        and request.fixturename in item.fixturenames
    ]
    env = environment(emulator, LIMITS)
    by_id = {case.id: case for case in CASES}
    with ExitStack() as servers:
        together = servers.enter_context(serving("converse_contract.mutants", "all", env=env))
        urls = {
            name: servers.enter_context(serving("converse_contract.mutants", name, env=env))
            if MUTANTS[name].alone
            else f"{together}/{name}"
            for name in asked
        }

        def judge(name: str) -> Mapping[str, Verdict]:
            cases: Sequence[Case] = [by_id[case_id] for case_id in MUTANTS[name].caught_by]
            results = run(cases, Target(urls[name], ReferenceDialect(), LIMITS), emulator).results
            return {result.case.id: result.verdict for result in results}

        with ThreadPoolExecutor(AT_ONCE) as threads:
            return dict(zip(asked, threads.map(judge, asked), strict=True))


@one_process
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_caught_by_the_cases_it_names(
    mutant: str, verdicts: Mapping[str, Mapping[str, Verdict]]
) -> None:
    escaped = {case: verdict for case, verdict in verdicts[mutant].items() if verdict.outcome not in CAUGHT}
    assert escaped == {}


@pytest.mark.parametrize("case", [case.id for case in CASES])
def test_a_case_catches_a_mutant(case: str) -> None:
    assert [name for name, mutant in MUTANTS.items() if case in mutant.caught_by]


@one_process
def test_what_the_mutants_are_made_from_passes_every_case(emulator: str) -> None:
    """So what a mutant fails is its own doing."""
    with serving("converse_contract.mutants", "base", env=environment(emulator, LIMITS)) as base:
        results = run(CASES, Target(base, ReferenceDialect(), LIMITS), emulator)
    broken = tuple(result for result in results.results if result.verdict.outcome is not Outcome.PASSED)
    assert not broken, render(replace(results, results=broken))


def test_a_mutant_says_what_it_resembles() -> None:
    assert [
        name for name, mutant in MUTANTS.items() if not (mutant.__doc__ or "").strip().endswith(".")
    ] == []
    assert len(MUTANTS) >= 20
    assert {"article", "illusion"} <= MUTANTS.keys()
