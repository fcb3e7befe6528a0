"""Checks of the response's form and times, each with evidence on both sides."""

from collections.abc import Callable
from typing import Any

import converse_contract.checks as checks
import pytest
from converse_contract.case import Check, Evidence
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
    Unreadable,
)

DONE = Finished("end_turn", False, 3, 5)
BROKEN = Failed("throttled", "Too busy.", True, True)
WHOLE = (Started(), BlockStarted(0, "text"), Text("Hel"), Text("lo"), BlockStopped(0), DONE, Sentinel())


def headers(**replaced: str | None) -> tuple[tuple[str, str], ...]:
    names = {
        "content_type": "text/event-stream",
        "cache_control": "no-cache, no-transform",
        "x_accel_buffering": "no",
    }
    return tuple((name.replace("_", "-"), value) for name, value in {**names, **replaced}.items() if value)


def seen(*events: Observed, **members: Any) -> dict[str, Any]:
    """Evidence as `evidence_of` takes it; without events it is a whole answer."""
    return {"events": events or WHOLE, **members}


# the check, evidence for which it holds, and evidence for which it does not and what is then said
EXAMPLES: dict[str, tuple[Check, list[dict[str, Any]], list[tuple[dict[str, Any], str]]]] = {
    "event_stream": (
        checks.event_stream,
        [seen(), seen(headers=headers(content_type="Text/Event-Stream; charset=utf-8"))],
        [
            (seen(status=502), "HTTP 502"),
            (seen(headers=headers(content_type="application/json")), "application/json"),
            (seen(headers=headers(content_type=None)), "none"),
            (seen(headers=headers(content_length="17")), "17"),
            (seen(headers=headers(content_encoding="gzip")), "gzip"),
        ],
    ),
    "keeps_caches_out": (
        checks.keeps_caches_out,
        [seen(), seen(headers=headers(cache_control="No-Transform,no-cache"))],
        [(seen(headers=headers(cache_control="no-cache")), "no-cache")],
    ),
    "no_buffering": (
        checks.no_buffering,
        [seen(), seen(headers=headers(cache_control="No-Transform,no-cache", x_accel_buffering="NO"))],
        [
            (seen(headers=headers(cache_control="no-cache")), "no-cache"),
            (seen(headers=headers(x_accel_buffering=None)), "none"),
        ],
    ),
    "readable": (
        checks.readable,
        [seen(raw=b"data: x\n\n"), seen(raw=b"data: x", ending="cut")],
        [
            (seen(Unreadable("{", "not JSON")), "not JSON: '{'"),
            (seen(raw=b"data: [DONE]\n"), "unfinished: 'data: [DONE]'"),
        ],
    ),
    "starts_once": (
        checks.starts_once,
        [seen(), seen(Heartbeat(), Started(), Text("a"))],
        [
            (seen(Text("a")), "0 of them"),
            (seen(Started(), Started()), "2 of them"),
            (seen(Heartbeat()), "nothing"),
        ],
    ),
    "balanced_blocks": (
        checks.balanced_blocks,
        [
            seen(),
            seen(BROKEN),
            seen(
                BlockStarted(0, "thinking"),
                Thinking("a"),
                BlockStopped(0),
                BlockStarted(1, "text"),
                Text("b", 1),
                BlockStopped(1),
                DONE,
            ),
        ],
        [
            (seen(Text("a")), "Text 'a'"),
            (seen(BlockStarted(1, "text")), "BlockStarted(index=1"),
            (seen(BlockStarted(0, "text"), Text("a"), BROKEN), "block 0 is open"),
            (seen(BlockStarted(0, "text"), BlockStopped(0), Text("a")), "Text 'a'"),
            (seen(BlockStarted(0, "text"), BlockStarted(1, "text")), "BlockStarted(index=1"),
            (seen(BlockStopped(0)), "BlockStopped(index=0)"),
        ],
    ),
    "ids_increase": (
        checks.ids_increase,
        [
            seen(ids=["1", None, "2"], events=(Started(), Heartbeat(), DONE)),
            seen(ids=["9", "10"], events=(Started(), DONE)),
            seen(ids=["msg_a-b-9", "msg_a-b-10"], events=(Started(), DONE)),
        ],
        [
            (seen(ids=["1", None], events=(Started(), DONE)), "id None on Finished("),
            (seen(ids=["2", "2"], events=(Started(), DONE)), "id '2' on Finished("),
            (seen(ids=["a"], events=(Started(),)), "id 'a' on Started"),
            (seen(ids=["a-1", "b-2"], events=(Started(), DONE)), "id 'b-2' on Finished("),
            (seen(ids=["a-2", "a-2"], events=(Started(), DONE)), "id 'a-2' on Finished("),
        ],
    ),
    "retry_once": (
        checks.retry_once,
        [seen(raw=b"retry: 3000\n\ndata: x\n\n")],
        [(seen(raw=b"data: x\n\n"), "0 of them"), (seen(raw=b"retry: 1\n\nretry: 2\n\n"), "2 of them")],
    ),
    "usage_is": (
        checks.usage_is(3, 5),
        [seen()],
        [(seen(Finished("end_turn", False, 3, 6)), "output_tokens=6"), (seen(BROKEN), "Failed(")],
    ),
    "usage_unknown": (
        checks.usage_unknown,
        [seen(Finished("end_turn", False))],
        [(seen(), "input_tokens=3"), (seen(BROKEN), "Failed(")],
    ),
    "no_leaks": (
        checks.no_leaks,
        [
            seen(raw=b'data: {"type":"message_start","id":"msg_0123456789ab"}\n\n'),
            seen(Failed("throttled", "The service is busy; try again in 1/2 minute.", True, True)),
        ],
        [
            (seen(raw=b"x arn:aws:bedrock:us-east-1::model/x y"), "arn:aws:bedrock"),
            (seen(raw=b"key AKIAIOSFODNN7EXAMPLE"), "AKIAIOSFODNN7EXAMPLE"),
            (seen(raw=b"Traceback (most recent call last)"), "Traceback"),
            (seen(raw=b"An error: botocore.errorfactory.ThrottlingException"), "botocore"),
            (seen(raw=b"Connection to 127.0.0.1 failed"), "127.0.0.1"),
            (seen(Failed("x", "account 123456789012 may not", None, None)), "123456789012"),
            (seen(Failed("x", "(0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f)", None, None)), "0a1b2c3d"),
            (seen(Failed("x", "no such file: /srv/app/main.py", None, None)), "/srv/app/main.py"),
        ],
    ),
    "no_empty_blocks": (
        checks.no_empty_blocks,
        [seen(), seen(BlockStarted(0, "text"), Text("a"), BROKEN)],
        [
            (seen(BlockStarted(0, "text"), BlockStopped(0), DONE), "BlockStarted(index=0"),
            (
                seen(BlockStarted(1, "thinking"), Thinking("", 1), BlockStopped(1), DONE),
                "BlockStarted(index=1",
            ),
        ],
    ),
    "ends_after": (
        checks.ends_after("first_byte", times=2, slack=1.0),
        [seen(BROKEN, every=3.0), seen(BROKEN, every=6.9)],
        [
            (seen(BROKEN, every=2.9), "at +2.900 s"),
            (seen(BROKEN, every=7.1), "at +7.100 s"),
            (seen(Text("a")), "no term"),
        ],
    ),
    "ends_after_stall": (
        checks.ends_after_stall("between_bytes", slack=1.0),
        [
            seen(Text("a"), BROKEN, every=30.5),
            seen(Text("a"), BROKEN, every=29.9, exchanges=({"acts": [{"actual": 25.0, "tokens": 1}]},)),
        ],
        [
            (seen(Text("a"), BROKEN, every=29.9), "at +59.800 s"),
            (seen(Text("a"), BROKEN, every=31.1), "at +62.200 s"),
            (seen(BROKEN, every=30.5), "Failed("),
        ],
    ),
    "text_within": (
        checks.text_within(0.5),
        [seen(Text("a"))],
        [(seen(Text("a"), every=0.6), "at +0.600 s"), (seen(DONE), "no text")],
    ),
    "heartbeats_while_quiet": (
        checks.heartbeats_while_quiet,
        [seen(Heartbeat(), Heartbeat(), Text("a"), every=15.0), seen(Text("a"), DONE)],
        [
            (seen(Text("a"), DONE, every=15.1), "none in 15.100 s"),
            (seen(Heartbeat(), DONE, every=31.5), "31.500 s without a byte"),
        ],
    ),
    "incremental": (
        checks.incremental,
        [seen()],
        [
            (
                seen(notes={"stalled_gate": "g1", "stalled_sent": "Hello", "stalled_seen": ""}),
                "sent 'Hello', arrived ''",
            )
        ],
    ),
    "responsive": (
        checks.responsive(1.0),
        [seen(notes={"probe_seconds": 0.9})],
        [(seen(notes={"probe_seconds": 5.4}), "it took 5.400 s")],
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
    modules = {"converse_contract.checks.form", "converse_contract.checks.timing"}
    assert set(EXAMPLES) == {name for name in checks.__all__ if getattr(checks, name).__module__ in modules}
