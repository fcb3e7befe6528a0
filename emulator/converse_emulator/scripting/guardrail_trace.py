"""What a traced guardrail reports of an answer (`trace.guardrail`), in the shape that was recorded.

The guardrail has one topic policy and does what the script says it did: an answer that stops with
`guardrail_intervened` is one whose request was blocked. A scenario that wants another report, of masked
output for instance, gives its own `trace` in a `metadata` step.
"""

from collections.abc import Mapping

from converse_emulator.choosing.conversation import messages
from converse_emulator.language.scenario import Json

INTERVENED = "guardrail_intervened"
_PROCESSING = 200  # milliseconds
_UNITS = (
    "contentPolicyImageUnits",
    "contentPolicyUnits",
    "contextualGroundingPolicyUnits",
    "sensitiveInformationPolicyFreeUnits",
    "sensitiveInformationPolicyUnits",
    "topicPolicyUnits",
    "wordPolicyUnits",
)


def guardrail_trace(body: Mapping[str, Json], reason: str, characters: int) -> dict[str, Json] | None:
    """The report on an answer of so many characters; None if the request asks for no trace."""
    config = body.get("guardrailConfig") or {}
    if config.get("trace") not in ("enabled", "enabled_full"):
        return None
    name = str(config.get("guardrailIdentifier", "")).rpartition("/")[2]
    details = _details(name, str(config.get("guardrailVersion", "DRAFT")))
    asked = sum(len(message.text) for message in messages(body) if message.role == "user")
    assessed = {"appliedGuardrailDetails": details, "invocationMetrics": _metrics(asked)}
    if reason == INTERVENED:
        topic = {"action": "BLOCKED", "detected": True, "name": "Topic", "type": "DENY"}
        blocked = {**assessed, "topicPolicy": {"topics": [topic]}}
        return {"actionReason": "Guardrail blocked.", "inputAssessment": {name: blocked}}
    answered = {"appliedGuardrailDetails": details, "invocationMetrics": _metrics(characters)}
    return {
        "actionReason": "No action.",
        "inputAssessment": {name: assessed},
        "modelOutput": [],
        "outputAssessments": {name: [answered]},
    }


def _details(name: str, version: str) -> dict[str, Json]:
    return {
        "guardrailArn": f"arn:aws:bedrock:us-east-1:123456789012:guardrail/{name}",
        "guardrailId": name,
        "guardrailOrigin": ["REQUEST"],
        "guardrailOwnership": "SELF",
        "guardrailVersion": version,
    }


def _metrics(characters: int) -> dict[str, Json]:
    return {
        "guardrailCoverage": {"textCharacters": {"guarded": characters, "total": characters}},
        "guardrailProcessingLatency": _PROCESSING,
        "usage": {unit: int(unit == "topicPolicyUnits") for unit in _UNITS},
    }
