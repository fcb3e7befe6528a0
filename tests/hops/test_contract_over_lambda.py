"""The contract's catalogue over the reference handler as a function behind a function URL.

Whatever is about the stream itself holds there as it does behind a server. What is about a browser that
leaves cannot: nobody tells a function.
"""

import sys
from collections.abc import Iterator

import pytest
from converse_contract import Limits, Outcome, ReferenceDialect, Results, Target, run
from converse_contract.catalogue import CASES
from converse_contract.report.text import render
from converse_contract.serving import environment
from converse_emulator import Emulator
from converse_hops import Function, FunctionUrl

LIMITS = Limits(first_byte=20, between_bytes=20, total=120, tool=3, heartbeat=0.5)
ABOUT_THE_STREAM = ("1.", "2.", "3.", "4.", "5.")
CANNOT_HOLD = ["8.2", "8.4"]  # the call of Bedrock is closed, or no other one made, once the browser has left
COMMAND = [sys.executable, "-m", "converse_handler.lambda_runtime"]


@pytest.fixture(scope="module")
def targets() -> Iterator[tuple[Target, Emulator]]:
    with Emulator() as emulator:
        env = environment(emulator.endpoint_url, LIMITS)
        with FunctionUrl(Function(COMMAND, env=env, concurrency=16), "RESPONSE_STREAM") as url:
            yield Target(url.url, ReferenceDialect(), LIMITS), emulator


def outcomes(targets: tuple[Target, Emulator], ids: list[str]) -> Results:
    target, emulator = targets
    return run([case for case in CASES if case.id in ids], target, emulator.endpoint_url)


def test_what_is_about_the_stream_holds(targets: tuple[Target, Emulator]) -> None:
    ids = [case.id for case in CASES if case.id.startswith(ABOUT_THE_STREAM)]
    results = outcomes(targets, ids)
    assert results.count(Outcome.PASSED) == len(ids) > 50, render(results)


def test_that_a_browser_has_left_is_told_to_nobody(targets: tuple[Target, Emulator]) -> None:
    results = outcomes(targets, CANNOT_HOLD)
    assert results.count(Outcome.FAILED) == len(CANNOT_HOLD), render(results)
