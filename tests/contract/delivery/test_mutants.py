"""The section on delivery is able to fail: every mutant is caught over its paths, by the cases it names."""

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from converse_contract import Outcome, Results
from converse_contract.catalogue import DELIVERY
from converse_contract.delivery import PATHS, Program, wire
from converse_contract.delivery.deliver import LIMITS, deliver
from converse_contract.delivery.program import PORT
from converse_contract.mutants.paths import WALKERS
from converse_contract.report.text import render
from converse_contract.serving import serving

AT_ONCE = 5  # mutants; mostly they wait
CAUGHT = (Outcome.FAILED, Outcome.NON_STRICT)
OVER = [(name, path) for name, mutant in WALKERS.items() for path in mutant.caught]
RIGHT = ["function-url", "load-balancer", "websocket", "appsync"]  # one of each kind

BASE = [("base", path) for path in RIGHT]
Walks = Mapping[tuple[str, str], Results]

# What is said of the place where each of these holds the stream.
PLACES = {
    ("pretends-to-type", "function-url"): "Bedrock was asked with Converse, not ConverseStream",
    ("pretends-to-type", "websocket"): "Bedrock was asked with Converse, not ConverseStream",
    ("pretends-to-type", "appsync"): "Bedrock was asked with Converse, not ConverseStream",
    ("collects-and-posts", "function-url"): "the program keeps back what Bedrock sent",
    ("keeps-a-buffered-url", "function-url"): "the Lambda service had received",
    ("keeps-a-buffered-url", "rest-api"): "it needs responseTransferMode: STREAM",
    (
        "behind-an-http-api",
        "http-api",
    ): "it needs a REST API with responseTransferMode: STREAM, or a function URL",
    ("keeps-the-defaults", "web-adapter"): "the Lambda Web Adapter had received",
    ("keeps-the-defaults", "proxy"): "the proxy had received",
    ("sets-no-headers", "proxy"): "it needs X-Accel-Buffering: no",
    ("publishes-at-the-end", "appsync"): "the Event API has got no bytes of it: the program keeps back",
}

one_process = pytest.mark.xdist_group("delivery-mutants")


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with serving("converse_emulator", "serve", "--port", "0") as url:
        yield url


def walked(name: str, path: str, emulator: str) -> Results:
    """What the cases say that a mutant names for this path; of `base` all, four at once."""
    command = (sys.executable, "-m", "converse_contract.mutants.paths", name)
    mutant = WALKERS.get(name)
    named = mutant.caught[path] if mutant else [case.id for case in DELIVERY]
    cases = [case for case in DELIVERY if case.id in named]
    with wire(PATHS[path], Program(command, (*command, "--port", PORT)), emulator, LIMITS) as wiring:
        forget = mutant is not None and mutant.forget
        return deliver(cases, wiring, emulator, forget=forget, at_once=1 if mutant else 4)


@pytest.fixture(scope="module")
def walks(emulator: str, request: pytest.FixtureRequest) -> Walks:
    """What became of everybody's cases, by name and path."""
    asked = {
        (str(item.callspec.params["mutant"]), str(item.callspec.params["path"]))
        for item in request.session.items
        if isinstance(item, pytest.Function) and request.fixturename in item.fixturenames
    }
    in_turn = [one for one in (*BASE, *OVER) if one in asked]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return dict(
            zip(in_turn, threads.map(lambda one: walked(one[0], one[1], emulator), in_turn), strict=True)
        )


@one_process
@pytest.mark.parametrize(("mutant", "path"), OVER, ids=[f"{name}-{path}" for name, path in OVER])
def test_a_mutant_is_caught_by_the_cases_it_names(mutant: str, path: str, walks: Walks) -> None:
    found = {result.case.id: result.verdict for result in walks[mutant, path].results}
    assert list(found) == list(WALKERS[mutant].caught[path])
    escaped = {case: verdict for case, verdict in found.items() if verdict.outcome not in CAUGHT}
    assert escaped == {}


@one_process
@pytest.mark.parametrize(("mutant", "path"), PLACES, ids=[f"{name}-{path}" for name, path in PLACES])
def test_the_place_where_a_stream_is_held_is_named(mutant: str, path: str, walks: Walks) -> None:
    (gated,) = (result for result in walks[mutant, path].results if result.case.id == "10.1")
    (finding,) = gated.verdict.findings
    assert PLACES[mutant, path] in finding.actual


@pytest.mark.parametrize("case", [case.id for case in DELIVERY])
def test_a_case_catches_a_mutant(case: str) -> None:
    assert [name for name, path in OVER if case in WALKERS[name].caught[path]]


@one_process
@pytest.mark.parametrize(("mutant", "path"), BASE, ids=RIGHT)
def test_what_the_mutants_are_made_from_passes_every_case(mutant: str, path: str, walks: Walks) -> None:
    """So what a mutant fails is its own doing."""
    results = walks[mutant, path]
    broken = tuple(result for result in results.results if result.verdict.outcome is not Outcome.PASSED)
    assert not broken, render(replace(results, results=broken))


def test_a_mutant_says_what_it_resembles() -> None:
    assert [
        name for name, mutant in WALKERS.items() if not (mutant.__doc__ or "").strip().endswith(".")
    ] == []
