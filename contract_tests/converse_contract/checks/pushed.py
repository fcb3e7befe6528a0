"""Answers that are pushed: their numbers, their channels, and how often something is published."""

from itertools import pairwise

from converse_contract.case import Check, Evidence, Finding
from converse_contract.checks.text import sent_text
from converse_contract.transcript import Text


def numbered_from_one(evidence: Evidence) -> list[Finding]:
    """The events' numbers arrive as 1, 2, 3, … without a gap."""
    numbers = _numbers(evidence)
    if numbers and numbers[0] == 1 and all(after == before + 1 for before, after in pairwise(numbers)):
        return []
    return [Finding("the numbers 1, 2, 3, … in order", _told(numbers))]


def numbers_put_it_in_order(evidence: Evidence) -> list[Finding]:
    """Sorted by its numbers, which have no gap, the answer is the text that was sent."""
    arrivals = [one for one in evidence.transcript.arrivals if one.id is not None and one.id.isdigit()]
    numbers = sorted(int(one.id or 0) for one in arrivals)
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        return [Finding("the numbers 1, 2, 3, … each once, in any order", _told(numbers))]
    pieces = sorted((int(one.id or 0), one.event.text) for one in arrivals if isinstance(one.event, Text))
    text = "".join(piece for _, piece in pieces)
    if text == sent_text(evidence):
        return []
    return [Finding("the text that was sent, in the order of the numbers", f"{text[:60]!r}…")]


def gaps_can_be_mended(evidence: Evidence) -> list[Finding]:
    """With what was asked for by number, the text is all that was sent."""
    mended = evidence.notes["mended"]
    if mended == sent_text(evidence):
        return []
    return [
        Finding(
            f"all {len(sent_text(evidence))} characters that were sent", f"{len(mended)}: {mended[:60]!r}…"
        )
    ]


def others_are_refused(evidence: Evidence) -> list[Finding]:
    """Another user neither listens nor writes."""
    findings = [
        Finding(f"no subscription to {channel}", kind)
        for channel, kind in evidence.notes["listened"].items()
        if kind == "subscribe_success"
    ]
    status = evidence.notes["published"]
    if not 400 <= status < 500:
        findings.append(Finding("a refusal to publish into another user's channel", f"status {status}"))
    return findings


def everything_heard(evidence: Evidence) -> list[Finding]:
    """Nothing is published before somebody listens."""
    publishes = [
        each for hop in evidence.hops for each in hop.of("passed", "up") if " events in " in each.detail
    ]
    lost = [each.detail for each in publishes if each.detail.endswith("for 0 subscriptions")]
    if not publishes:
        return [Finding("publishes to the channel that was subscribed", "none")]
    return [Finding("nothing published to nobody", "; ".join(lost[:3]))] if lost else []


def at_most_publishes(each_second: int) -> Check:
    """In no second are there more requests to publish."""

    def check(evidence: Evidence) -> list[Finding]:
        moments = [each.at for hop in evidence.hops for each in hop.of("received", "up")]
        most = max((sum(at <= other < at + 1 for other in moments) for at in moments), default=0)
        return (
            []
            if most <= each_second
            else [Finding(f"at most {each_second} publishes in a second", f"{most}")]
        )

    return check


def _numbers(evidence: Evidence) -> list[int]:
    ids = (one.id.rpartition("-")[2] for one in evidence.transcript.arrivals if one.id is not None)
    return [int(each) for each in ids if each.isdigit()]


def _told(numbers: list[int]) -> str:
    wrong = next((place for place, number in enumerate(numbers, 1) if number != place), None)
    if not numbers:
        return "no numbers"
    return (
        f"{len(numbers)} of them, {numbers[wrong - 1]} in place {wrong}" if wrong else f"1 to {len(numbers)}"
    )
