"""Whole runs over real sockets: an emulator, a handler that does everything right, and cases of all sorts."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from converse_contract import (
    Case,
    CouldNotRun,
    Evidence,
    Finding,
    Level,
    Outcome,
    ReferenceDialect,
    Results,
    Target,
    drive,
    run,
)
from converse_contract.case import Ask, Drive, InTurn, Leave, Probe, Script, StepGates, Together
from converse_contract.checks import (
    all_of,
    closed_within,
    failed,
    finished,
    for_each_response,
    incremental,
    text_is,
    text_is_all_sent,
)
from converse_contract.demo import LIMITS
from converse_contract.serving import environment, serving
from converse_contract.upstream import session_name
from converse_contract.verdict import Result

Serve = Callable[[Any], AbstractAsyncContextManager[str]]
Check = Callable[[Evidence], list[Finding]]
ASK = Ask()
WRONG = "http://127.0.0.1:1"  # nobody listens at port 1


def a_case(check: Check, scenario: Script, how: Drive = ASK, **members: Any) -> Case:
    return Case("9.9", "T.", "It MUST hold.", "W.", scenario, check, drive=how, **members)


def target(url: str) -> Target:
    return Target(url, ReferenceDialect(), LIMITS)


def result_of(case: Case, handler_url: str, emulator_url: str, **options: Any) -> Result:
    return run([case], target(handler_url), emulator_url, **options).results[0]


def holds(_: Evidence) -> list[Finding]:
    return []


def test_literal_replies_are_played_to_the_handler(handler_url: str, emulator_url: str) -> None:
    result = result_of(a_case(text_is("Hello there"), ["Hello there"]), handler_url, emulator_url)
    assert result.verdict.outcome is Outcome.PASSED
    assert result.evidence is not None
    (exchange,) = result.evidence.exchanges
    assert (exchange["text_sent"], exchange["state"]) == ("Hello there", "done")
    assert result.evidence.transcript.sent_at <= exchange["started_at"]


def test_a_library_scenario_is_chosen_by_its_mark(handler_url: str, emulator_url: str) -> None:
    result = result_of(a_case(finished("max_tokens"), "stop-reasons/max-tokens"), handler_url, emulator_url)
    assert result.verdict.outcome is Outcome.PASSED
    assert result.evidence is not None
    assert result.evidence.exchanges[0]["scenario"] == "stop-reasons/max-tokens"


def test_replies_can_follow_from_the_limits(handler_url: str, emulator_url: str) -> None:
    case = a_case(text_is(f"{LIMITS.first_byte:g}"), lambda limits: [f"{limits.first_byte:g}"])
    assert result_of(case, handler_url, emulator_url).verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("level", "outcome"), [(Level.MUST, Outcome.FAILED), (Level.SHOULD, Outcome.NON_STRICT)]
)
def test_what_does_not_hold_is_found(
    handler_url: str, emulator_url: str, level: Level, outcome: Outcome
) -> None:
    result = result_of(a_case(failed("throttled"), ["Hi"], level=level), handler_url, emulator_url)
    assert result.verdict.outcome is outcome
    assert result.verdict.findings[0].actual.startswith("Finished(stop_reason='end_turn'")


def test_gates_prove_that_text_comes_piece_by_piece(handler_url: str, emulator_url: str) -> None:
    replies = [[{"text": "one "}, {"gate": "a"}, {"text": "two "}, {"gate": "b"}, {"text": "three"}]]
    case = a_case(all_of(incremental, text_is("one two three")), replies, StepGates(("a", "b")))
    result = result_of(case, handler_url, emulator_url)
    assert result.verdict.outcome is Outcome.PASSED
    assert result.evidence is not None
    assert result.evidence.notes == {}


def test_a_gate_that_no_text_reaches_is_named_and_the_stream_goes_on(
    emulator_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive, "GATE_LIMIT", 0.3)
    replies = [[{"text": "one "}, {"gate": "a"}, {"text": "two"}, {"gate": "b"}, {"text": "three"}]]
    case = a_case(incremental, replies, StepGates(("a", "b")))
    limits = replace(LIMITS, first_byte=30.0, between_bytes=30.0, total=60.0)
    with serving("converse_contract.mutants", "illusion", env=environment(emulator_url, limits)) as illusion:
        (result,) = run([case], Target(illusion, ReferenceDialect(), limits), emulator_url).results
    assert result.verdict.outcome is Outcome.FAILED
    assert result.evidence is not None
    assert result.evidence.notes["stalled_gate"] == "a"
    assert result.evidence.notes["stalled_seen"] == ""
    assert result.evidence.transcript.text == "one twothree"


@pytest.mark.parametrize("once", ["called", "text"])
def test_leaving_is_seen_by_the_emulator(handler_url: str, emulator_url: str, once: Any) -> None:
    replies = [[{"wait": "300ms"}, {"text": "one two three four", "every": "1s"}]]
    result = result_of(a_case(closed_within(1.0), replies, Leave(once)), handler_url, emulator_url)
    assert result.verdict.outcome is Outcome.PASSED
    assert result.evidence is not None
    assert result.evidence.transcript.ending == "we left"
    assert bool(result.evidence.transcript.text) is (once == "text")
    assert result.evidence.exchanges[0]["ended"] == "client left"


def test_requests_at_once_have_sessions_of_their_own(handler_url: str, emulator_url: str) -> None:
    case = a_case(for_each_response(text_is_all_sent), "text/short-answer", Together(5))
    result = result_of(case, handler_url, emulator_url)
    assert result.verdict.outcome is Outcome.PASSED
    assert result.evidence is not None
    sessions = [transcript.session for transcript in result.evidence.transcripts]
    assert len(set(sessions)) == 5
    assert sorted(sessions) == sorted(exchange["session"] for exchange in result.evidence.exchanges)


def test_requests_in_turn_use_up_the_replies(handler_url: str, emulator_url: str) -> None:
    case = a_case(for_each_response(text_is_all_sent), ["first", "second", "third"], InTurn(3))
    result = result_of(case, handler_url, emulator_url)
    assert result.verdict.outcome is Outcome.PASSED
    assert result.evidence is not None
    assert [transcript.text for transcript in result.evidence.transcripts] == ["first", "second", "third"]


def test_a_probe_measures_other_requests(handler_url: str, emulator_url: str) -> None:
    case = a_case(holds, [[{"text": "one"}, {"wait": "500ms"}, {"text": "two"}]], Probe())
    result = result_of(case, handler_url, emulator_url)
    assert result.evidence is not None
    assert 0 < result.evidence.notes["probe_seconds"] < 60


def test_what_the_handler_lacks_is_skipped_with_the_reason(handler_url: str, emulator_url: str) -> None:
    case = a_case(holds, "text/short-answer", needs=frozenset({"tools"}))
    result = result_of(case, handler_url, emulator_url, without=["tools"])
    assert result.verdict.outcome is Outcome.SKIPPED
    assert result.verdict.reason == "the handler has no tools"
    assert result.evidence is None
    assert result_of(case, handler_url, emulator_url).verdict.outcome is Outcome.PASSED


def test_a_long_total_is_not_waited_for(handler_url: str, emulator_url: str) -> None:
    case = a_case(holds, "text/short-answer", needs=frozenset({"short_total"}))
    article = Target(handler_url, ReferenceDialect())
    (result,) = run([case], article, emulator_url).results
    assert result.verdict.outcome is Outcome.SKIPPED
    assert result_of(case, handler_url, emulator_url).verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("text/no-such-thing", "text/no-such-thing"),
        ([[{"txet": "Hi"}]], "txet"),
    ],
)
def test_a_wrong_scenario_is_the_cases_bug(
    handler_url: str, emulator_url: str, scenario: Any, reason: str
) -> None:
    result = result_of(a_case(holds, scenario), handler_url, emulator_url)
    assert result.verdict.outcome is Outcome.CASE_BUG
    assert reason in str(result.verdict.reason)


def test_cases_run_side_by_side_and_progress_is_told(handler_url: str, emulator_url: str) -> None:
    pause = a_case(text_is("ab"), [[{"text": "a"}, {"wait": "1s"}, {"text": "b"}]])
    cases = [replace(pause, id=f"9.{n}") for n in range(14)]
    told: list[str] = []
    begun = time.monotonic()
    results = run(
        cases, target(handler_url), emulator_url, progress=lambda result: told.append(result.case.id)
    )
    assert 1.0 <= time.monotonic() - begun < 10.0  # one after the other: 14 s
    assert [result.case.id for result in results.results] == [case.id for case in cases]
    assert sorted(told) == sorted(case.id for case in cases)
    assert results.exit_code == 0


def test_session_names_are_never_used_again() -> None:
    assert session_name("5.2").startswith("case-5.2-")
    assert len({session_name("5.2") for _ in range(100)}) == 100


# ------------------------------------------------------------------------------- runs that cannot begin


def test_a_run_without_an_emulator_says_so(handler_url: str) -> None:
    with pytest.raises(CouldNotRun, match=f"no emulator at {WRONG}/_emulator"):
        run([], target(handler_url), WRONG)


def test_a_run_without_a_handler_says_so(emulator_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(CouldNotRun, match=f"no handler at http://127.0.0.1:{port}"):
        run([], target(f"http://127.0.0.1:{port}"), emulator_url)


def test_something_else_in_the_emulators_place_says_so(handler_url: str) -> None:
    with pytest.raises(CouldNotRun, match="_emulator"):
        run([], target(handler_url), handler_url)


def test_a_path_that_does_not_exist_says_how_to_name_it(handler_url: str, emulator_url: str) -> None:
    wrong = Target(handler_url, ReferenceDialect(path="/nowhere"), LIMITS)
    with pytest.raises(CouldNotRun, match="/nowhere answers 404; --path"):
        run([], wrong, emulator_url)


def against(raw_server: Serve, answer: Any, cases: list[Case], emulator_url: str) -> Results:
    async def main() -> Results:
        async with raw_server(answer) as url:
            return await asyncio.to_thread(run, cases, target(url), emulator_url)

    return asyncio.run(main())


def test_a_handler_that_uses_another_bedrock_is_told_which(raw_server: Serve, emulator_url: str) -> None:
    async def answer(_: Any, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    with pytest.raises(CouldNotRun, match=f"AWS_ENDPOINT_URL_BEDROCK_RUNTIME={emulator_url}"):
        against(raw_server, answer, [], emulator_url)


def test_a_handler_that_dies_during_the_run_could_not_be_judged(raw_server: Serve, emulator_url: str) -> None:
    """Not failed: nobody saw what it does."""

    async def once(asked: Any, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        prompt = json.loads(asked.body)["messages"][0]["content"]
        body = {"messages": [{"role": "user", "content": [{"text": prompt}]}]}
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.post(f"{emulator_url}/model/amazon.nova-lite-v1:0/converse", json=body)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        asked.server.close()

    results = against(raw_server, once, [a_case(holds, ["Hi"])], emulator_url)
    assert results.results[0].verdict.outcome is Outcome.COULD_NOT_RUN
    assert results.exit_code == 2
