"""What an EventSource gets that comes back: the second of two transcripts."""

from converse_contract.case import Evidence, Finding
from converse_contract.checks.ending import outcome


def nothing_more(evidence: Evidence) -> list[Finding]:
    """Who has it all and comes back is told that there is no more: 204, the one status without an error that
    stops an EventSource."""
    status = evidence.transcripts[1].status
    return [] if status == 204 else [Finding("status 204 for who has all", f"{status}")]


def stops_an_event_source(evidence: Evidence) -> list[Finding]:
    """Who comes back gets something that is no event stream, so that it does not come again."""
    again = evidence.transcripts[1]
    kind = (again.header("content-type") or "").partition(";")[0]
    if again.status == 200 and kind == "text/event-stream":
        return [Finding("no event stream for who comes back", outcome(again))]
    return []


def exactly_the_missed(evidence: Evidence) -> list[Finding]:
    """Who comes back halfway gets what is missing, once, and nothing else."""
    first, again = ([one.id for one in each.arrivals if one.id] for each in evidence.transcripts)
    missing = first[len(first) // 2 + 1 :]
    if again == missing:
        return []
    return [Finding(f"the events {_span(missing)}", f"{_span(again)}; {outcome(evidence.transcripts[1])}")]


def _span(ids: list[str]) -> str:
    return f"{ids[0]} to {ids[-1]}, {len(ids)} of them" if ids else "none"
