"""Where a stream is held on its way: the hops' journals, read from the browser's end."""

from collections.abc import Sequence

from converse_contract.case import Exchange
from converse_contract.hop_state import Direction, HopState

A_WHILE = 0.5  # seconds: of an answer that takes less nobody can say that it was collected
PUSHED = "Event API"  # to it answers come from the client's side: they are published


def came(hop: HopState) -> int:
    """The bytes of the answer that reached this hop."""
    return hop.total("received", "up" if hop.name == PUSHED else "down")


def where_held(hops: Sequence[HopState], exchanges: Sequence[Exchange]) -> str:
    """Who has what the browser has not, at this moment: a sentence that names the place and the remedy."""
    if blocking := {exchange["operation"] for exchange in exchanges} - {"ConverseStream"}:
        return (
            f"Bedrock was asked with {', '.join(sorted(blocking))}, not ConverseStream: it says nothing "
            "before all is made"
        )
    for place, hop in enumerate(hops):
        if hop.name != PUSHED and hop.held > 0:
            return f"{_held(hop)}{because(hops[: place + 1])}"
    last = hops[-1]
    return (
        f"the {last.name} has got {came(last) or 'no'} bytes of it: the program keeps back what Bedrock sent"
    )


def because(hops: Sequence[HopState]) -> str:
    """The setting to blame: the last one that is not right, for it is nearest to what held the stream."""
    wrong = next((hop for hop in reversed(hops) if hop.remedy), None)
    return f": {wrong.name} with {wrong.setting}; it needs {wrong.remedy}" if wrong else ""


def diagnosis(
    hops: Sequence[HopState],
    exchanges: Sequence[Exchange],
    sent_at: float,
    body: bytes = b"",
    status: int | None = 200,
) -> str:
    """What became of an answer on its way, now that it is over; empty if nothing is to be said."""
    for place, hop in enumerate(hops):
        if _lost(hop):
            return f"{_held(hop)}{because(hops[: place + 1])}"
    if body.lstrip().startswith(b'{"') and b'"statusCode"' in body[:400]:
        return f"the body is the function's JSON, literally: it was not streamed{because(hops) or NO_STREAM}"
    if status == 500 and any(came(hop) for hop in hops):
        return f"the {hops[0].name} could not read what the function had made{NO_STREAM}"
    slow = [one for one in exchanges if one["ended_at"] and one["ended_at"] > A_WHILE]
    ends = [exchange["started_at"] + exchange["ended_at"] for exchange in slow]
    return _late(hops, max(ends), sent_at) if ends and hops else ""


NO_STREAM = (
    ": its runtime has to post with Lambda-Runtime-Function-Response-Mode: streaming (streamifyResponse), "
    "metadata and eight NULs first"
)


def _late(hops: Sequence[HopState], end: float, sent_at: float) -> str:
    """Who let nothing pass until Bedrock had ended."""
    last = hops[-1]
    direction: Direction = "up" if last.name == PUSHED else "down"
    arrivals = [each for each in last.of("received", direction) if each.size]
    if arrivals and arrivals[0].at >= end:
        return (
            f"Bedrock's stream was drained before the program's first byte: that reached the {last.name} at "
            f"+{arrivals[0].at - sent_at:.3f} s, Bedrock had ended at +{end - sent_at:.3f} s"
        )
    for place in reversed(range(len(hops))):
        hop = hops[place]
        passed = [each for each in hop.of("passed") if each.size]
        if hop.name != PUSHED and passed and passed[0].at >= end:
            return (
                f"the {hop.name} passed on its first byte at +{passed[0].at - sent_at:.3f} s, when Bedrock "
                f"had ended{because(hops[: place + 1])}"
            )
    return ""


def _lost(hop: HopState) -> bool:
    return hop.name != PUSHED and hop.total("received") > 0 and hop.total("passed") == 0


def _held(hop: HopState) -> str:
    return f"the {hop.name} had received {came(hop)} bytes and passed on {hop.total('passed') or 'none'}"
