"""One run of the catalogue over the reference handler, shared by the items that judge it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from converse_contract import Outcome, ReferenceDialect, Target, run
from converse_contract.catalogue import CASES, SECTIONS
from converse_contract.demo import LIMITS
from converse_contract.report.text import render
from converse_contract.serving import environment, serving


@pytest.fixture(scope="session")
def complaints(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """For each case that was asked for: why it does not hold, the whole story; empty if it holds.

    The cases run side by side against an emulator and a handler in processes of their own.
    """
    asked = {
        item.callspec.params["case"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and request.fixturename in item.fixturenames
    }
    with (
        serving("converse_emulator", "serve", "--port", "0") as emulator,
        serving("converse_handler", "--port", "0", env=environment(emulator, LIMITS)) as handler,
    ):
        target = Target(handler, ReferenceDialect(), LIMITS)
        cases = [case for case in CASES if case.id in asked]
        results = run(cases, target, emulator, sections=SECTIONS, replay="converse-contract demo")
    return {
        result.case.id: ""
        if result.verdict.outcome is Outcome.PASSED
        else render(replace(results, results=(result,)))
        for result in results.results
    }
