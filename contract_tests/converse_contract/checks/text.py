"""What text the user saw, held against what the emulator sent."""

from converse_contract.case import Check, Evidence, Finding
from converse_contract.transcript import Text, Thinking

SHOWN = 60  # characters of a text that a finding quotes around the difference


def sent_text(evidence: Evidence) -> str:
    """The answer's text in all frames that the emulator sent, over all calls of the case."""
    return "".join(exchange["text_sent"] for exchange in evidence.exchanges)


def text_is(expected: str) -> Check:
    """The text shown is exactly this."""

    def check(evidence: Evidence) -> list[Finding]:
        return _difference("the text", expected, evidence.transcript.text)

    return check


def text_is_all_sent(evidence: Evidence) -> list[Finding]:
    """The text shown is exactly what the emulator sent: nothing lost, doubled, changed or out of order."""
    return _difference("the text that was sent", sent_text(evidence), evidence.transcript.text)


def text_is_prefix_of_sent(evidence: Evidence) -> list[Finding]:
    """The text shown is the beginning of what the emulator sent."""
    sent, seen = sent_text(evidence), evidence.transcript.text
    if sent.startswith(seen):
        return []
    return _difference("a beginning of the text that was sent", sent, seen)


def shows_text(evidence: Evidence) -> list[Finding]:
    """Some text was shown."""
    return [] if evidence.transcript.text else [Finding("some text", "none")]


def shows_no_text(evidence: Evidence) -> list[Finding]:
    """No text was shown."""
    text = evidence.transcript.text
    return [Finding("no text", repr(text[:SHOWN]))] if text else []


def no_empty_text(evidence: Evidence) -> list[Finding]:
    """No text event is empty."""
    empty = sum(not event.text for event in evidence.transcript.of(Text))
    return [Finding("no empty text event", f"{empty} of them")] if empty else []


def no_replacement_characters(evidence: Evidence) -> list[Finding]:
    """No character was lost to decoding: no U+FFFD that the emulator did not send."""
    sent, seen = sent_text(evidence).count("\ufffd"), evidence.transcript.text.count("\ufffd")
    return [Finding(f"{sent} times U+FFFD", f"{seen} times")] if seen != sent else []


def thinking_is(expected: str) -> Check:
    """The reasoning shown is exactly this; empty where a handler keeps it to itself."""

    def check(evidence: Evidence) -> list[Finding]:
        seen = "".join(event.text for event in evidence.transcript.of(Thinking))
        return _difference("the reasoning", expected, seen)

    return check


def _difference(what: str, expected: str, actual: str) -> list[Finding]:
    if expected == actual:
        return []
    if max(len(expected), len(actual)) <= SHOWN:
        return [Finding(f"{what}: {expected!r}", repr(actual))]
    pairs = enumerate(zip(expected, actual, strict=False))
    place = next((n for n, (a, b) in pairs if a != b), min(len(expected), len(actual)))
    return [
        Finding(
            f"{what}: {len(expected)} characters, …{expected[max(0, place - 20) : place + 40]!r}…",
            f"{len(actual)} characters, different from character {place} on: "
            f"…{actual[max(0, place - 20) : place + 40]!r}…",
        )
    ]
