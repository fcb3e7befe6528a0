"""What the handler did to Bedrock: the emulator's journal."""

from converse_contract.case import Check, Evidence, Exchange, Finding
from converse_contract.transcript import Text


def described(exchange: Exchange) -> str:
    """One line: what it was, and how it ended."""
    return f"{exchange['operation']} → {exchange['status'] or 'no headers'}, {exchange['ended'] or 'open'}"


def calls(count: int) -> Check:
    """Bedrock is called exactly this often."""

    def check(evidence: Evidence) -> list[Finding]:
        return [] if len(evidence.exchanges) == count else [_count(f"{count} calls of Bedrock", evidence)]

    return check


def at_most_calls(count: int) -> Check:
    """Bedrock is called at least once and at most this often."""

    def check(evidence: Evidence) -> list[Finding]:
        if 1 <= len(evidence.exchanges) <= count:
            return []
        return [_count(f"1 to {count} calls of Bedrock", evidence)]

    return check


def within_attempts(evidence: Evidence) -> list[Finding]:
    """Bedrock is called at most as often as the handler declares."""
    return at_most_calls(evidence.limits.attempts)(evidence)


def never_called_again_after_text(evidence: Evidence) -> list[Finding]:
    """No call of Bedrock begins once the first text reached the far end."""
    transcript = evidence.transcript
    shown = transcript.first(Text)
    if shown is None:
        return []
    later = [
        f"{described(exchange)} began at +{began:.3f} s"
        for exchange in evidence.exchanges
        if (began := exchange["started_at"] - transcript.sent_at) > shown.at
    ]
    if not later:
        return []
    return [Finding(f"no call of Bedrock after the first text, at +{shown.at:.3f} s", "; ".join(later))]


def streamed_from_bedrock(evidence: Evidence) -> list[Finding]:
    """Every call is ConverseStream."""
    others = [
        described(exchange) for exchange in evidence.exchanges if exchange["operation"] != "ConverseStream"
    ]
    return [Finding("ConverseStream calls only", "; ".join(others))] if others else []


def closed_within(seconds: float, *, slack: float = 0.0) -> Check:
    """Once the client left, every call that was still open is closed within this time.

    `slack` is what a busy machine may add.
    """

    def check(evidence: Evidence) -> list[Finding]:
        left = evidence.transcript.sent_at + evidence.transcript.ended_at
        late = []
        for exchange in evidence.exchanges:
            if exchange["state"] == "open":
                late.append(f"{described(exchange)}, still open when the case was over")
            elif (after := exchange["started_at"] + exchange["ended_at"] - left) > seconds + slack:
                late.append(f"{described(exchange)}, {after:.3f} s after the client left")
        return (
            [Finding(f"closed within {seconds:g} s of the client leaving", "; ".join(late))] if late else []
        )

    return check


def call_limits_kept(evidence: Evidence) -> list[Finding]:
    """No call asked the emulator for something that was not foreseen: more calls than there are replies."""
    missed = [
        f"{described(exchange)}: {exchange['miss']}" for exchange in evidence.exchanges if exchange["miss"]
    ]
    return [Finding("only the calls that the scenario has replies for", "; ".join(missed))] if missed else []


def nothing_left_open(evidence: Evidence) -> list[Finding]:
    """When the response is over, no call of Bedrock is open any more."""
    still = [described(exchange) for exchange in evidence.exchanges if exchange["state"] == "open"]
    return [Finding("no open call once the response is over", "; ".join(still))] if still else []


def some_tokens_unsent(evidence: Evidence) -> list[Finding]:
    """Bedrock did not get to say the whole answer: of every call's tokens, less than half were sent."""
    drained = [
        f"{exchange['tokens_sent']} sent, {exchange['tokens_unsent']} unsent"
        for exchange in evidence.exchanges
        if exchange["tokens_sent"] >= exchange["tokens_unsent"]
    ]
    return [Finding("most of the answer's tokens unsent", "; ".join(drained))] if drained else []


def _count(expected: str, evidence: Evidence) -> Finding:
    told = "; ".join(described(exchange) for exchange in evidence.exchanges)
    return Finding(expected, f"{len(evidence.exchanges)}{f': {told}' if told else ''}")
