"""The form of the response: headers, event order, ids, usage, and that nothing leaks."""

import re

from converse_contract import sse
from converse_contract.case import Check, Evidence, Finding
from converse_contract.checks.ending import outcome
from converse_contract.transcript import (
    BlockStarted,
    BlockStopped,
    Failed,
    Finished,
    Heartbeat,
    Sentinel,
    Started,
    Text,
    Thinking,
    Unreadable,
    explain,
)

# What never belongs in front of a user, wherever in the response it stands.
LEAKS = {
    "an ARN": re.compile(r"arn:aws[\w-]*:"),
    "an access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a traceback": re.compile(r"Traceback|File \\?\""),
    "a Python exception": re.compile(r"\b(?:botocore|urllib3|boto3)\b|EventStreamError|ClientError"),
    "an internal address": re.compile(r"internal\.amazon\.com|amazonaws\.com|127\.0\.0\.1|localhost"),
}
# What is suspicious in an error's message, but may stand elsewhere (the handler's own ids).
MESSAGE_LEAKS = {
    "an account id": re.compile(r"\b\d{12}\b"),
    "a request id": re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|request ?id", re.IGNORECASE),
    "a file's path": re.compile(r"(?:^|[\s'\"(])/(?:[\w.-]+/)+[\w.-]+"),
}


def event_stream(evidence: Evidence) -> list[Finding]:
    """HTTP 200 and an event stream, which is not compressed and does not announce its length."""
    transcript = evidence.transcript
    if transcript.status != 200:
        return [Finding("HTTP 200", outcome(transcript))]
    kind = transcript.header("content-type") or "none"
    if kind.partition(";")[0].strip().lower() != "text/event-stream":
        return [Finding("content-type: text/event-stream", kind)]
    return [
        Finding(f"no {name} header", value)
        for name in ("content-length", "content-encoding")
        if (value := transcript.header(name))
    ]


def keeps_caches_out(evidence: Evidence) -> list[Finding]:
    """The header that keeps the stream from being stored or changed."""
    cache = evidence.transcript.header("cache-control") or "none"
    words = {word.strip().lower() for word in cache.split(",")}
    if {"no-cache", "no-transform"} <= words:
        return []
    return [Finding("cache-control: no-cache, no-transform", cache)]


def no_buffering(evidence: Evidence) -> list[Finding]:
    """The headers that keep proxies from collecting or changing the stream."""
    transcript = evidence.transcript
    findings = keeps_caches_out(evidence)
    accel = transcript.header("x-accel-buffering") or "none"
    if accel.lower() != "no":
        findings.append(Finding("x-accel-buffering: no", accel))
    return findings


def readable(evidence: Evidence) -> list[Finding]:
    """Every event is one that the dialect knows, and none is left unfinished at the end."""
    findings = [
        Finding("events of the dialect", f"{event.why}: {event.raw[:80]!r}")
        for event in evidence.transcript.of(Unreadable)
    ]
    decoder = sse.Decoder()
    decoder.feed(evidence.transcript.raw)
    if decoder.unfinished and evidence.transcript.ending == "complete":
        findings.append(
            Finding("a blank line after the last event", f"unfinished: {decoder.unfinished[:80]!r}")
        )
    return findings


def starts_once(evidence: Evidence) -> list[Finding]:
    """The first event says that the answer begins, and says so once."""
    events = [arrival.event for arrival in evidence.transcript.arrivals]
    events = [event for event in events if not isinstance(event, Heartbeat)]
    if events[:1] == [Started()] and events.count(Started()) == 1:
        return []
    first = explain(events[0]) if events else "nothing"
    return [Finding("one Started, as the first event", f"{events.count(Started())} of them, first {first}")]


def balanced_blocks(evidence: Evidence) -> list[Finding]:
    """Blocks open before they are filled, with indices counting from 0, and all are closed at the end."""
    open_block: int | None = None
    upcoming = 0
    findings = []
    for arrival in evidence.transcript.arrivals:
        match arrival.event:
            case BlockStarted(index=index):
                if open_block is not None or index != upcoming:
                    findings.append(Finding(f"block {upcoming} to start next", explain(arrival.event)))
                open_block, upcoming = index, index + 1
            case Text(index=index) | Thinking(index=index) if index != open_block:
                findings.append(Finding("content only in the open block", explain(arrival.event)))
            case BlockStopped(index=index):
                if index != open_block:
                    findings.append(Finding("an end only of the open block", explain(arrival.event)))
                open_block = None
            case Finished() | Failed() if open_block is not None:
                findings.append(Finding("every block closed before the end", f"block {open_block} is open"))
            case _:
                pass
    return findings[:1]  # the first explains the rest


def no_empty_blocks(evidence: Evidence) -> list[Finding]:
    """No block is opened and closed with nothing in it."""
    empty, opened = [], None
    for event in evidence.transcript.of(BlockStarted, Text, Thinking, BlockStopped):
        match event:
            case BlockStarted():
                opened = event
            case BlockStopped() if opened is not None:
                empty.append(explain(opened))
            case Text() | Thinking() if event.text:
                opened = None
            case _:
                pass
    return [Finding("no block without content", ", ".join(empty))] if empty else []


def ids_increase(evidence: Evidence) -> list[Finding]:
    """Every event has an `id` with a number greater than the one before: `N`, or `answer-N` of one answer."""
    of, before = None, None
    for arrival in evidence.transcript.arrivals:
        if isinstance(arrival.event, Heartbeat | Sentinel):
            continue
        answer, _, digits = (arrival.id or "").rpartition("-")
        number = int(digits) if digits.isascii() and digits.isdecimal() else None
        if number is None or (before is not None and (answer != of or number <= before)):
            expected = "an id on every event, increasing" + (f", more than {before}" if before else "")
            return [Finding(expected, f"id {arrival.id!r} on {explain(arrival.event)}")]
        of, before = answer, number
    return []


def retry_once(evidence: Evidence) -> list[Finding]:
    """The reconnection time is said exactly once."""
    said = sum(isinstance(event, sse.Retry) for event in sse.Decoder().feed(evidence.transcript.raw))
    return [] if said == 1 else [Finding("one retry field", f"{said} of them")]


def usage_is(input_tokens: int, output_tokens: int) -> Check:
    """The usage that is reported is the metadata event's."""

    def check(evidence: Evidence) -> list[Finding]:
        event = evidence.transcript.terminal
        if (
            isinstance(event, Finished)
            and event.input_tokens == input_tokens
            and event.output_tokens == output_tokens
        ):
            return []
        expected = f"Finished with input_tokens={input_tokens}, output_tokens={output_tokens}"
        return [Finding(expected, outcome(evidence.transcript))]

    return check


def usage_unknown(evidence: Evidence) -> list[Finding]:
    """No usage is reported where Bedrock sent none: nothing is invented."""
    event = evidence.transcript.terminal
    if isinstance(event, Finished) and event.input_tokens is None and event.output_tokens is None:
        return []
    return [Finding("Finished without usage", outcome(evidence.transcript))]


def no_leaks(evidence: Evidence) -> list[Finding]:
    """Nothing of the inside shows: no ARN, account, key, request id, exception, path."""
    body = evidence.transcript.raw.decode("utf-8", "replace")
    messages = "\n".join(event.message for event in evidence.transcript.of(Failed))
    places = [(body, LEAKS), (messages, MESSAGE_LEAKS)]
    return [
        Finding(f"nothing that is {name}", repr(text[max(0, match.start() - 20) : match.end() + 40]))
        for text, patterns in places
        for name, pattern in patterns.items()
        if (match := pattern.search(text))
    ]
