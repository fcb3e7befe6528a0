"""Every check holds for evidence that is right, and says what is wrong about evidence that is not."""

from collections.abc import Callable
from typing import Any

import converse_contract.checks as checks
import pytest
from converse_contract.case import Check, Evidence, Finding
from converse_contract.checks import all_of, any_of, failed, finished, for_each_response
from converse_contract.transcript import (
    BlockStarted,
    BlockStopped,
    Failed,
    Finished,
    Heartbeat,
    Observed,
    Sentinel,
    Started,
    Text,
    Thinking,
    Transcript,
)

DONE = Finished("end_turn", False, 3, 5)
BROKEN = Failed("throttled", "Too busy.", True, True)
WHOLE = (Started(), BlockStarted(0, "text"), Text("Hel"), Text("lo"), BlockStopped(0), DONE, Sentinel())


def seen(*events: Observed, **members: Any) -> dict[str, Any]:
    """Evidence as `evidence_of` takes it; without events it is a whole answer."""
    return {"events": events or WHOLE, **members}


# the check, evidence for which it holds, and evidence for which it does not and what is then said
EXAMPLES: dict[str, tuple[Check, list[dict[str, Any]], list[tuple[dict[str, Any], str]]]] = {
    "one_terminal": (
        checks.one_terminal,
        [seen(), seen(BROKEN, Sentinel()), seen(DONE)],
        [
            (seen(Text("a")), "no terminal event, then the response ended completely at +0.200 s"),
            (seen(Text("a"), DONE, BROKEN), "2 of them: Finished("),
            (seen(DONE, Sentinel(), Text("b")), "then came Text 'b'"),
            (seen(DONE, Heartbeat()), "then came Heartbeat"),
            (seen(ending="no response", status=None, events=()), "closed without a response"),
        ],
    ),
    "sentinel_last": (
        checks.sentinel_last,
        [seen()],
        [
            (seen(DONE), "0 sentinels, last came Finished"),
            (seen(Sentinel(), DONE), "1 sentinels, last came Finished"),
            (seen(DONE, Sentinel(), Sentinel()), "2 sentinels"),
        ],
    ),
    "complete_body": (
        checks.complete_body,
        [seen()],
        [(seen(ending=ending), "") for ending in ("cut", "timed out", "no response", "we left")],
    ),
    "terminal": (
        checks.terminal,
        [seen()],
        [(seen(ending="cut"), "the connection was cut"), (seen(DONE), "0 sent")],
    ),
    "finished": (
        finished("end_turn", "stop_sequence", truncated=False),
        [seen()],
        [
            (seen(BROKEN), "Failed(code='throttled'"),
            (seen(Finished("max_tokens", False)), "stop_reason='max_tokens'"),
            (seen(Finished("end_turn", True)), "truncated=True"),
            (seen(Text("a"), status=500), "HTTP 500, no terminal event"),
        ],
    ),
    "failed": (
        failed("throttled", "overloaded", retryable=True, partial=True),
        [seen(BROKEN)],
        [
            (seen(), "Finished(stop_reason='end_turn'"),
            (seen(Failed("internal", "x", True, True)), "code='internal'"),
            (seen(Failed("throttled", "x", False, True)), "retryable=False"),
            (seen(Failed("throttled", "x", True, None)), "retryable=True"),
        ],
    ),
    "never_finished": (checks.never_finished, [seen(BROKEN)], [(seen(BROKEN, DONE), "Finished(")]),
    "text_is": (checks.text_is("Hello"), [seen()], [(seen(Text("Hallo")), "'Hallo'"), (seen(DONE), "''")]),
    "text_is_all_sent": (
        checks.text_is_all_sent,
        [seen(), seen(exchanges=({"text_sent": "Hel"}, {"text_sent": "lo"}))],
        [
            (seen(Text("Hel")), "'Hel'"),
            (seen(Text("HelloHello")), "'HelloHello'"),
            (
                seen(Text("x" * 90), exchanges=({"text_sent": "x" * 89 + "y"},)),
                "different from character 89 on",
            ),
        ],
    ),
    "text_is_prefix_of_sent": (
        checks.text_is_prefix_of_sent,
        [seen(), seen(Text("Hel")), seen(DONE)],
        [(seen(Text("Hello!")), "'Hello!'"), (seen(Text("ello")), "'ello'")],
    ),
    "shows_text": (checks.shows_text, [seen()], [(seen(Text(""), DONE), "none")]),
    "shows_no_text": (checks.shows_no_text, [seen(BROKEN), seen(Text(""))], [(seen(), "'Hello'")]),
    "no_empty_text": (checks.no_empty_text, [seen()], [(seen(Text("a"), Text("")), "1 of them")]),
    "no_replacement_characters": (
        checks.no_replacement_characters,
        [seen(), seen(Text("\ufffd"), exchanges=({"text_sent": "\ufffd"},))],
        [(seen(Text("caf\ufffd")), "1 times")],
    ),
    "thinking_is": (
        checks.thinking_is("Hmm"),
        [seen(Thinking("H"), Thinking("mm"), Text("a"))],
        [(seen(Thinking("H")), "'H'"), (seen(Text("Hmm")), "''")],
    ),
}

HOLDING = [
    pytest.param(check, one, id=f"{name}-{n}")
    for name, (check, good, _) in EXAMPLES.items()
    for n, one in enumerate(good)
]
FAILING = [
    pytest.param(check, one, said, id=f"{name}-{n}")
    for name, (check, _, bad) in EXAMPLES.items()
    for n, (one, said) in enumerate(bad)
]


@pytest.mark.parametrize(("check", "members"), HOLDING)
def test_it_holds(check: Check, members: dict[str, Any], evidence_of: Callable[..., Evidence]) -> None:
    assert check(built(members, evidence_of)) == []


@pytest.mark.parametrize(("check", "members", "said"), FAILING)
def test_it_says_what_is_wrong(
    check: Check, members: dict[str, Any], said: str, evidence_of: Callable[..., Evidence]
) -> None:
    findings = check(built(members, evidence_of))
    assert findings
    assert said in findings[0].actual
    assert findings[0].expected != findings[0].actual


def built(members: dict[str, Any], evidence_of: Callable[..., Evidence]) -> Evidence:
    return evidence_of(
        *members["events"], **{name: value for name, value in members.items() if name != "events"}
    )


def test_every_check_has_examples() -> None:
    modules = {"converse_contract.checks.ending", "converse_contract.checks.text"}
    assert set(EXAMPLES) == {name for name in checks.__all__ if getattr(checks, name).__module__ in modules}


def holds(_: Evidence) -> list[Finding]:
    return []


def fails(words: str) -> Check:
    return lambda _: [Finding(f"no {words}", words)]


def test_all_of_reports_everything(evidence_of: Callable[..., Evidence]) -> None:
    check = all_of(fails("a"), holds, fails("b"))
    assert check(evidence_of()) == [Finding("no a", "a"), Finding("no b", "b")]
    assert all_of(holds, holds)(evidence_of()) == []


def test_any_of_holds_when_one_does(evidence_of: Callable[..., Evidence]) -> None:
    assert any_of(fails("a"), holds)(evidence_of()) == []
    assert any_of(fails("a"), fails("b"), fails("a"))(evidence_of()) == [Finding("no a or no b", "a; b")]


def test_each_response_is_judged_beside_its_own_calls(
    evidence_of: Callable[..., Evidence], transcript_of: Callable[..., Transcript]
) -> None:
    evidence = evidence_of(
        transcripts=(
            transcript_of(Text("a"), session="one"),
            transcript_of(Text("b"), session="two"),
            transcript_of(Text("c"), session="one", sent_at=1_000_005.0),
        ),
        exchanges=[
            {"session": "one", "text_sent": "a"},
            {"session": "two", "text_sent": "b"},
            {"session": "one", "text_sent": "x", "started_at": 1_000_005.01},
        ],
    )
    assert for_each_response(checks.text_is_all_sent)(evidence) == [
        Finding("the text that was sent: 'x'", "'c' (response 3)")
    ]


def test_the_last_response_is_judged_alone(
    evidence_of: Callable[..., Evidence], transcript_of: Callable[..., Transcript]
) -> None:
    evidence = evidence_of(transcripts=(transcript_of(BROKEN), transcript_of(DONE)))
    assert checks.last_response(finished())(evidence) == []
    assert checks.last_response(failed())(evidence) != []
