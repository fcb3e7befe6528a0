"""Checks made of checks."""

from dataclasses import replace
from math import inf

from converse_contract.case import Check, Evidence, Exchange, Finding
from converse_contract.transcript import Transcript


def all_of(*checks: Check) -> Check:
    """Every one holds; each that does not is reported."""

    def check(evidence: Evidence) -> list[Finding]:
        return [finding for one in checks for finding in one(evidence)]

    return check


def any_of(*checks: Check) -> Check:
    """At least one holds; where none does, the findings of all are joined into one."""

    def check(evidence: Evidence) -> list[Finding]:
        attempts = [one(evidence) for one in checks]
        if not all(attempts):
            return []
        findings = [finding for attempt in attempts for finding in attempt]
        expected = " or ".join(dict.fromkeys(finding.expected for finding in findings))
        return [Finding(expected, "; ".join(dict.fromkeys(finding.actual for finding in findings)))]

    return check


def last_response(check: Check) -> Check:
    """Holds for the last transcript alone."""

    def last(evidence: Evidence) -> list[Finding]:
        return check(replace(evidence, transcripts=evidence.transcripts[-1:]))

    return last


def for_each_response(check: Check) -> Check:
    """Holds for every transcript on its own, each beside the exchanges that belong to its request."""

    def each(evidence: Evidence) -> list[Finding]:
        findings = []
        for number, transcript in enumerate(evidence.transcripts, 1):
            own = replace(evidence, transcripts=(transcript,), exchanges=exchanges_of(transcript, evidence))
            findings += [
                Finding(finding.expected, f"{finding.actual} (response {number})") for finding in check(own)
            ]
        return findings

    return each


def exchanges_of(transcript: Transcript, evidence: Evidence) -> tuple[Exchange, ...]:
    """The exchanges of the transcript's session that began before the session's next request was sent."""
    same = [other.sent_at for other in evidence.transcripts if other.session == transcript.session]
    until = min((sent_at for sent_at in same if sent_at > transcript.sent_at), default=inf)
    return tuple(
        exchange
        for exchange in evidence.exchanges
        if exchange["session"] == transcript.session and transcript.sent_at <= exchange["started_at"] < until
    )
