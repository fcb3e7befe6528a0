"""How the answer ends: exactly one terminal event, of the right kind, and then nothing."""

from converse_contract.case import Check, Evidence, Finding
from converse_contract.transcript import (
    Failed,
    Finished,
    Sentinel,
    Transcript,
    explain,
    how_it_ended,
)


def outcome(transcript: Transcript) -> str:
    """What a person would say happened: the terminal event, when, and how the response ended."""
    arrival = transcript.first(Finished, Failed)
    if transcript.status is None:
        return how_it_ended(transcript)
    told = f"{explain(arrival.event)} at +{arrival.at:.3f} s" if arrival else "no terminal event"
    status = "" if transcript.status == 200 else f"HTTP {transcript.status}, "
    return f"{status}{told}, then {how_it_ended(transcript)}"


def one_terminal(evidence: Evidence) -> list[Finding]:
    """Exactly one terminal event, and nothing after it but the sentinel."""
    events = [arrival.event for arrival in evidence.transcript.arrivals]
    terminals = [place for place, event in enumerate(events) if isinstance(event, Finished | Failed)]
    if not terminals:
        return [Finding("exactly one terminal event", outcome(evidence.transcript))]
    findings = []
    if len(terminals) > 1:
        told = ", ".join(explain(events[place]) for place in terminals)
        findings.append(Finding("exactly one terminal event", f"{len(terminals)} of them: {told}"))
    later = [explain(event) for event in events[terminals[-1] + 1 :] if not isinstance(event, Sentinel)]
    if later:
        findings.append(
            Finding("nothing after the terminal event but the sentinel", f"then came {', '.join(later)}")
        )
    return findings


def sentinel_last(evidence: Evidence) -> list[Finding]:
    """The sentinel comes once, as the last event."""
    events = [arrival.event for arrival in evidence.transcript.arrivals]
    if events.count(Sentinel()) == 1 and events[-1] == Sentinel():
        return []
    told = explain(events[-1]) if events else "nothing at all"
    return [
        Finding(
            "the sentinel, once, as the last event", f"{events.count(Sentinel())} sentinels, last came {told}"
        )
    ]


def complete_body(evidence: Evidence) -> list[Finding]:
    """The response's body ends properly; it is not cut, and it does not hang."""
    if evidence.transcript.ending == "complete":
        return []
    return [Finding("a response that ends completely", outcome(evidence.transcript))]


def terminal(evidence: Evidence) -> list[Finding]:
    """The whole promise about endings: one terminal event, the sentinel, and the body complete."""
    return [*one_terminal(evidence), *sentinel_last(evidence), *complete_body(evidence)]


def finished(*stop_reasons: str, truncated: bool | None = None) -> Check:
    """The answer is reported as finished, with one of these stop reasons (none given: any)."""
    wanted = _wanted("Finished", stop_reason=stop_reasons, truncated=truncated)

    def check(evidence: Evidence) -> list[Finding]:
        event = evidence.transcript.terminal
        right = (
            isinstance(event, Finished)
            and (not stop_reasons or event.stop_reason in stop_reasons)
            and truncated in (None, event.truncated)
        )
        return [] if right else [Finding(wanted, outcome(evidence.transcript))]

    return check


def failed(*codes: str, retryable: bool | None = None, partial: bool | None = None) -> Check:
    """The answer is reported as failed, with one of these codes (none given: any)."""
    wanted = _wanted("Failed", code=codes, retryable=retryable, partial=partial)

    def check(evidence: Evidence) -> list[Finding]:
        event = evidence.transcript.terminal
        right = (
            isinstance(event, Failed)
            and (not codes or event.code in codes)
            and retryable in (None, event.retryable)
            and partial in (None, event.partial)
        )
        return [] if right else [Finding(wanted, outcome(evidence.transcript))]

    return check


def never_finished(evidence: Evidence) -> list[Finding]:
    """Nothing in the response says that the answer is complete."""
    said = [explain(event) for event in evidence.transcript.of(Finished)]
    return [Finding("never Finished", ", ".join(said))] if said else []


def _wanted(name: str, **members: tuple[str, ...] | bool | None) -> str:
    """`Failed(code='throttled' or 'overloaded', retryable=True)`."""
    said = []
    for member, value in members.items():
        if isinstance(value, tuple) and value:
            said.append(f"{member}={' or '.join(map(repr, value))}")
        elif isinstance(value, bool):
            said.append(f"{member}={value}")
    return f"{name}({', '.join(said)})" if said else name
