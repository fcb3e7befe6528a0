"""What must hold at the end of a path, and what is said of the hops on it when it does not."""

from converse_contract.case import Check, Evidence, Finding
from converse_contract.checks.ending import outcome
from converse_contract.checks.place import diagnosis
from converse_contract.transcript import Failed, Text


def located(check: Check) -> Check:
    """The same, and each finding tells what the hops' journals know of it."""

    def with_place(evidence: Evidence) -> list[Finding]:
        findings = check(evidence)
        transcript = evidence.transcript
        told = diagnosis(
            evidence.hops, evidence.exchanges, transcript.sent_at, transcript.raw, transcript.status
        )
        return [Finding(each.expected, f"{each.actual}; {told}") if told else each for each in findings]

    return with_place


def comes_while_made(evidence: Evidence) -> list[Finding]:
    """The first text arrives while Bedrock is still speaking."""
    transcript = evidence.transcript
    ends = [exchange["started_at"] + exchange["ended_at"] for exchange in evidence.exchanges]
    if not ends:
        return [Finding("a call of Bedrock", "none")]
    end, first = max(ends) - transcript.sent_at, transcript.first(Text)
    if first and first.at < end:
        return []
    told = f"at +{first.at:.3f} s" if first else "none"
    return [Finding(f"the first text before Bedrock ends, at +{end:.3f} s", told)]


def refused(evidence: Evidence) -> list[Finding]:
    """Told to be wrong: a status of 400 to 499, or an event that says that the request is."""
    transcript = evidence.transcript
    status, event = transcript.status or 0, transcript.terminal
    if 400 <= status < 500 or (isinstance(event, Failed) and event.code == "invalid_request"):
        return []
    said = transcript.raw[:80].decode("utf-8", "replace")
    return [Finding("status 400 to 499, or Failed('invalid_request')", f"{outcome(transcript)}: {said!r}")]


def capped(evidence: Evidence) -> list[Finding]:
    """Every call of Bedrock says how long its answer may become, and it all came to an end."""
    findings = []
    for exchange in evidence.exchanges:
        body = exchange["request"]["body"]
        if not (isinstance(body, dict) and body.get("inferenceConfig", {}).get("maxTokens")):
            findings.append(
                Finding(
                    "maxTokens in the request: nothing else ends an answer that nobody reads",
                    f"none; {exchange['tokens_sent']} tokens were made and paid for",
                )
            )
        if exchange["state"] == "open":
            findings.append(Finding("an end of the call", "it is still open"))
    return findings
