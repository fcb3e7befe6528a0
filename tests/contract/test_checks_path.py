"""What is said of a path: where a stream is held, what became of it, and how pushed answers are judged."""

from collections.abc import Callable
from typing import Any

import pytest
from converse_contract.case import Check, Evidence, Finding
from converse_contract.checks import (
    at_most_publishes,
    capped,
    comes_while_made,
    everything_heard,
    exactly_the_missed,
    gaps_can_be_mended,
    located,
    nothing_more,
    numbered_from_one,
    numbers_put_it_in_order,
    others_are_refused,
    refused,
    stops_an_event_source,
)
from converse_contract.checks.place import diagnosis, where_held
from converse_contract.hop_state import HopState, Passing
from converse_contract.transcript import Failed, Text, Transcript

SENT_AT = 1_000_000.0
Make = Callable[..., Any]


def hop(name: str, received: int = 0, passed: int = 0, *, at: float = 0.0, **said: Any) -> HopState:
    """One that got and passed on so much at once, `at` seconds after the request was sent."""
    moment = SENT_AT + at
    passings = [Passing(moment, "down", "received", received)] if received else []
    passings += [Passing(moment, "down", "passed", passed)] if passed else []
    return HopState(name, tuple(passings), **said)


def published(*told: str, at: float = 0.0) -> HopState:
    moments = [SENT_AT + at + place / 100 for place in range(len(told))]
    passings = [
        one
        for moment, detail in zip(moments, told, strict=True)
        for one in (Passing(moment, "up", "received", 50), Passing(moment, "up", "passed", 50, detail))
    ]
    return HopState("Event API", tuple(passings))


BUFFERED: dict[str, Any] = {"setting": "InvokeMode: BUFFERED", "remedy": "InvokeMode: RESPONSE_STREAM"}
STREAM = [{"operation": "ConverseStream"}]
HELD = [
    ([{"operation": "Converse"}], [hop("Lambda")], "Bedrock was asked with Converse, not ConverseStream"),
    (STREAM, [hop("load balancer", 9, 9), hop("proxy", 12, 9)], "the proxy had received 12 bytes"),
    (
        STREAM,
        [hop("function URL", **BUFFERED), hop("Lambda", 50)],
        "the Lambda had received 50 bytes and passed on none: function URL with InvokeMode: BUFFERED; "
        "it needs InvokeMode: RESPONSE_STREAM",
    ),
    (STREAM, [hop("load balancer", 9, 9)], "the load balancer has got 9 bytes of it: the program keeps back"),
    (STREAM, [HopState("Event API")], "the Event API has got no bytes of it: the program keeps back"),
    (STREAM, [published("1 events in /chat/a/b for 1 subscriptions")], "the Event API has got 50 bytes"),
]


@pytest.mark.parametrize(("exchanges", "hops", "said"), HELD)
def test_where_a_stream_is_held(exchanges: list[Any], hops: list[HopState], said: str) -> None:
    assert where_held(hops, exchanges).startswith(said)


CALL = [{"started_at": SENT_AT, "ended_at": 2.0}]
BECAME: list[tuple[list[HopState], dict[str, Any], str]] = [
    (
        [hop("function URL", 50, **BUFFERED)],
        {},
        "the function URL had received 50 bytes and passed on none: ",
    ),
    ([hop("Lambda", 9, 9, at=1.0)], {}, ""),
    ([hop("Lambda", 9, 9, at=2.5)], {}, "Bedrock's stream was drained before the program's first byte"),
    ([published("1 events in /a for 1 subscriptions", at=2.5)], {}, "Bedrock's stream was drained"),
    (
        [hop("function URL", 9, 9), hop("Lambda", 9, 9)],
        {"body": b'{"statusCode": 200, "body": "data: 1"}'},
        "the body is the function's JSON, literally: it was not streamed: its runtime has to post with",
    ),
    (
        [hop("function URL", 9, 9), hop("Lambda Web Adapter", 9, 9, setting="MODE=a", remedy="MODE=b")],
        {"body": b'{"statusCode": 200}'},
        "the body is the function's JSON, literally: it was not streamed: Lambda Web Adapter with MODE=a; ",
    ),
    (
        [hop("REST API"), hop("Lambda", 9, 9)],
        {"status": 500},
        "the REST API could not read what the function had made: its runtime",
    ),
    ([], {}, ""),
]


@pytest.mark.parametrize(("hops", "response", "said"), BECAME)
def test_what_became_of_an_answer(hops: list[HopState], response: dict[str, Any], said: str) -> None:
    told = diagnosis(hops, CALL, SENT_AT, **response)
    assert told.startswith(said) if said else told == ""


def test_a_hop_that_lets_nothing_pass_until_the_end_is_named() -> None:
    late = HopState(
        "proxy",
        (Passing(SENT_AT + 0.1, "down", "received", 9), Passing(SENT_AT + 2.1, "down", "passed", 9)),
        "proxy_buffering on",
        "proxy_buffering off",
    )
    told = diagnosis([hop("load balancer", 9, 9, at=2.1), late], CALL, SENT_AT)
    assert told == (
        "the proxy passed on its first byte at +2.100 s, when Bedrock had ended: proxy with proxy_buffering "
        "on; it needs proxy_buffering off"
    )


def test_of_an_answer_that_was_made_at_once_nothing_is_said() -> None:
    quick = [{"started_at": SENT_AT, "ended_at": 0.1}]
    assert diagnosis([hop("Lambda", 9, 9, at=0.2)], quick, SENT_AT) == ""


def test_a_finding_is_located(evidence_of: Make) -> None:
    evidence = evidence_of(exchanges=[{"started_at": SENT_AT, "ended_at": 2.0}])
    wrong: Check = located(lambda _: [Finding("some text", "none")])
    with_hop = Evidence(
        evidence.transcripts, evidence.exchanges, evidence.limits, hops=(hop("function URL", 50),)
    )
    assert wrong(with_hop) == [
        Finding("some text", "none; the function URL had received 50 bytes and passed on none")
    ]
    assert wrong(evidence) == [Finding("some text", "none")]


def on_the_way(evidence: Evidence, *hops: HopState) -> Evidence:
    return Evidence(evidence.transcripts, evidence.exchanges, evidence.limits, evidence.notes, hops)


WORDS = (Text("One "), Text("two "), Text("three"))
CHECKED: list[tuple[Check, dict[str, Any], bool]] = [
    (comes_while_made, {"events": WORDS, "exchanges": [{"ended_at": 0.15}]}, True),
    (comes_while_made, {"events": WORDS, "exchanges": [{"ended_at": 0.05}]}, False),
    (comes_while_made, {"events": WORDS, "exchanges": []}, False),
    (comes_while_made, {"events": ()}, False),
    (numbered_from_one, {"events": WORDS}, True),
    (numbered_from_one, {"events": WORDS, "ids": ["m-1", "m-2", "m-3"]}, True),
    (numbered_from_one, {"events": WORDS, "ids": ["1", "3", "2"]}, False),
    (numbered_from_one, {"events": WORDS, "ids": ["2", "3", "4"]}, False),
    (numbered_from_one, {"events": WORDS, "ids": [None, None, None]}, False),
    (
        numbers_put_it_in_order,
        {"events": (WORDS[1], WORDS[0]), "ids": ["2", "1"], "exchanges": [{"text_sent": "One two "}]},
        True,
    ),
    (
        numbers_put_it_in_order,
        {"events": (WORDS[1], WORDS[0]), "ids": ["1", "2"], "exchanges": [{"text_sent": "One two "}]},
        False,
    ),
    (numbers_put_it_in_order, {"events": WORDS, "ids": ["1", "2", "4"]}, False),
    (numbers_put_it_in_order, {"events": WORDS, "ids": ["1", "2", "2"]}, False),
    (gaps_can_be_mended, {"notes": {"mended": "Hello"}}, True),
    (gaps_can_be_mended, {"notes": {"mended": "Helo"}}, False),
    (refused, {"status": 400}, True),
    (refused, {"status": 502}, False),
    (refused, {"status": 200}, False),
    (refused, {"status": 101, "events": (Failed("invalid_request", "No.", False, False),)}, True),
    (others_are_refused, {"notes": {"listened": {"/a": "subscribe_error"}, "published": 403}}, True),
    (others_are_refused, {"notes": {"listened": {"/a": "subscribe_success"}, "published": 403}}, False),
    (others_are_refused, {"notes": {"listened": {"/a": "subscribe_error"}, "published": 202}}, False),
    (capped, {"exchanges": [{"request": {"body": {"inferenceConfig": {"maxTokens": 9}}}}]}, True),
    (capped, {"exchanges": [{"request": {"body": {"inferenceConfig": {}}}}]}, False),
    (
        capped,
        {"exchanges": [{"state": "open", "request": {"body": {"inferenceConfig": {"maxTokens": 9}}}}]},
        False,
    ),
]


@pytest.mark.parametrize(("check", "seen", "holds"), CHECKED)
def test_a_check(check: Check, seen: dict[str, Any], holds: bool, evidence_of: Make) -> None:
    events = seen.pop("events", ())
    assert (check(evidence_of(*events, **seen)) == []) is holds


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        (("2 events in /chat/a/b for 1 subscriptions",), True),
        (("2 events in /chat/a/b for 0 subscriptions", "1 events in /chat/a/b for 1 subscriptions"), False),
        ((), False),
    ],
)
def test_nothing_is_published_to_nobody(told: tuple[str, ...], holds: bool, evidence_of: Make) -> None:
    assert (everything_heard(on_the_way(evidence_of(), published(*told))) == []) is holds


def test_publishes_are_counted_by_the_second(evidence_of: Make) -> None:
    evidence = on_the_way(evidence_of(), published(*["1 events in /a for 1 subscriptions"] * 26))
    assert at_most_publishes(26)(evidence) == []
    assert at_most_publishes(25)(evidence) == [Finding("at most 25 publishes in a second", "26")]


AGAIN: list[tuple[Check, dict[str, Any], bool]] = [
    (nothing_more, {"status": 204}, True),
    (nothing_more, {"status": 200}, False),
    (stops_an_event_source, {"status": 405}, True),
    (stops_an_event_source, {"status": 200, "headers": (("content-type", "text/html"),)}, True),
    (stops_an_event_source, {"status": 200}, False),
    (exactly_the_missed, {"ids": ["3"], "events": WORDS[2:]}, True),
    (exactly_the_missed, {"ids": ["2", "3"], "events": WORDS[1:]}, False),
    (exactly_the_missed, {"status": 204}, False),
]


@pytest.mark.parametrize(("check", "again", "holds"), AGAIN)
def test_what_gets_who_comes_back(
    check: Check, again: dict[str, Any], holds: bool, evidence_of: Make, transcript_of: Make
) -> None:
    first: Transcript = transcript_of(*WORDS)
    second = transcript_of(*again.pop("events", ()), **again)
    assert (check(evidence_of(transcripts=(first, second))) == []) is holds
