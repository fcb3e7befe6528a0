"""When things happened. Lower bounds are exact; upper bounds leave room for a busy machine."""

from itertools import pairwise
from typing import Literal

from converse_contract.case import Check, Evidence, Finding
from converse_contract.checks.ending import outcome
from converse_contract.transcript import Failed, Finished, Heartbeat, Text

Limit = Literal["first_byte", "between_bytes", "total", "tool", "heartbeat"]

SLACK = 5.0  # seconds a machine may be late
EARLY = 0.05  # seconds by which two clocks of one machine may disagree


def ends_after(limit: Limit, *, times: int = 1, slack: float = SLACK) -> Check:
    """The terminal event comes when the declared limit is over: not before it, not much later.

    `times` is for a limit that may run out once per attempt: the upper bound grows, the lower one stays.
    """

    def check(evidence: Evidence) -> list[Finding]:
        seconds = getattr(evidence.limits, limit)
        return _ends_between(evidence, 0.0, seconds, times * seconds + slack)

    return check


def ends_after_stall(limit: Limit = "between_bytes", *, slack: float = SLACK) -> Check:
    """The same, counted from the last text: not before, from its sending; not later, from its arrival."""

    def check(evidence: Evidence) -> list[Finding]:
        texts = [arrival.at for arrival in evidence.transcript.arrivals if isinstance(arrival.event, Text)]
        if not texts:
            return [Finding("some text, and then the end", outcome(evidence.transcript))]
        sent = [
            exchange["started_at"] + act["actual"] - evidence.transcript.sent_at
            for exchange in evidence.exchanges
            for act in exchange["acts"]
            if act["tokens"]
        ]
        seconds = getattr(evidence.limits, limit)
        origin = min([texts[-1], *sent[-1:]])
        return _ends_between(evidence, origin, seconds, texts[-1] - origin + seconds + slack)

    return check


def text_within(seconds: float) -> Check:
    """The first text arrives within this time."""

    def check(evidence: Evidence) -> list[Finding]:
        first = evidence.transcript.first(Text)
        if first and first.at <= seconds:
            return []
        return [Finding(f"text within {seconds:g} s", f"at +{first.at:.3f} s" if first else "no text")]

    return check


def heartbeats_while_quiet(evidence: Evidence) -> list[Finding]:
    """Something arrives at least as often as the declared heartbeat, and where nothing else does, heartbeats.

    Nothing can be said of an answer that was never quiet for that long.
    """
    every, arrivals = evidence.limits.heartbeat, evidence.transcript.arrivals
    quiet = _longest_gap([arrival.at for arrival in arrivals if not isinstance(arrival.event, Heartbeat)])
    if quiet <= every:
        return []
    expected = f"a heartbeat every {every:g} s while nothing else comes"
    if not any(evidence.transcript.of(Heartbeat)):
        return [Finding(expected, f"none in {quiet:.3f} s")]
    silence = _longest_gap([arrival.at for arrival in arrivals])
    # One heartbeat may be late; a second one is missing.
    return [Finding(expected, f"{silence:.3f} s without a byte")] if silence > 2 * every + 1.0 else []


def incremental(evidence: Evidence) -> list[Finding]:
    """Every piece of text arrived before the model was let go on: the drive opened every gate."""
    stalled = evidence.notes.get("stalled_gate")
    if stalled is None:
        return []
    place = evidence.notes.get("stalled_place")
    return [
        Finding(
            f"the text sent before gate {stalled!r} to arrive while the model is held there",
            f"sent {evidence.notes['stalled_sent']!r}, arrived {evidence.notes['stalled_seen']!r}"
            f"{f'; {place}' if place else ''}",
        )
    ]


def responsive(seconds: float) -> Check:
    """Another request is answered within this time while the stream is open."""

    def check(evidence: Evidence) -> list[Finding]:
        took = evidence.notes["probe_seconds"]
        if took <= seconds:
            return []
        return [Finding(f"another request answered within {seconds:g} s meanwhile", f"it took {took:.3f} s")]

    return check


def _longest_gap(moments: list[float]) -> float:
    """The longest time between two of these moments, the request being the first."""
    return max((later - earlier for earlier, later in pairwise([0.0, *moments])), default=0.0)


def _ends_between(evidence: Evidence, origin: float, earliest: float, latest: float) -> list[Finding]:
    arrival = evidence.transcript.first(Finished, Failed)
    if arrival and earliest - EARLY <= arrival.at - origin <= latest:
        return []
    since = f" after +{origin:.3f} s" if origin else ""
    expected = f"a terminal event {earliest:g} s to {latest:g} s{since}"
    return [Finding(expected, outcome(evidence.transcript))]
