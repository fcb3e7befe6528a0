"""The reference handler keeps its promises over every path to a browser: an item for each case and path."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from converse_contract import Outcome
from converse_contract.catalogue import DELIVERY, SECTIONS
from converse_contract.delivery import PATHS, REFERENCE, wire
from converse_contract.delivery.deliver import LIMITS, deliver
from converse_contract.report.text import render
from converse_contract.serving import serving

NEVER_STREAMS = "http-api"
AT_ONCE = 3  # paths
STREAMING = [path for path in PATHS if path != NEVER_STREAMS]
ITEMS = [(path, case.id) for path in STREAMING for case in DELIVERY if path in case.paths]

Complaints = Mapping[tuple[str, str], str]


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with serving("converse_emulator", "serve", "--port", "0") as url:
        yield url


@pytest.fixture(scope="module")
def delivered(emulator: str, request: pytest.FixtureRequest) -> Complaints:
    """What is to be said of each item that was asked for, by path and case; empty if all is well."""
    asked = {
        (item.callspec.params["path"], item.callspec.params["case"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and request.fixturename in item.fixturenames
    }

    def over(path: str) -> Complaints:
        cases = [case for case in DELIVERY if (path, case.id) in asked]
        with wire(PATHS[path], REFERENCE, emulator, LIMITS) as wiring:
            replay = f"converse-contract deliver {path}"
            results = deliver(cases, wiring, emulator, replay=replay, sections=SECTIONS)
        return {
            (path, result.case.id): ""
            if result.verdict.outcome is Outcome.PASSED
            else render(replace(results, results=(result,)))
            for result in results.results
        }

    with ThreadPoolExecutor(AT_ONCE) as threads:
        paths = threads.map(over, dict.fromkeys(path for path, _ in sorted(asked)))
        return {item: complaint for of_a_path in paths for item, complaint in of_a_path.items()}


@pytest.mark.xdist_group("delivery")
@pytest.mark.parametrize(("path", "case"), ITEMS, ids=[f"{path}-{case}" for path, case in ITEMS])
def test_the_reference_handler(path: str, case: str, delivered: Complaints) -> None:
    if delivered[path, case]:
        pytest.fail(delivered[path, case], pytrace=False)
