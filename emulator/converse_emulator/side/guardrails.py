"""ApplyGuardrail: lets everything through but what carries the marker `[[guardrail: WORD]]`.

Every identifier is a guardrail with a word policy, for which the marker's word is a custom word. The shapes
are those of the service model; which members are there, and the texts, are inferred from the documentation.
"""

import re
from collections.abc import Mapping

from converse_emulator.language.scenario import Json

BLOCKED = "Sorry, the model cannot answer this question."
MARKER = re.compile(r"\[\[\s*guardrail:\s*([^\]]*?)\s*\]\]")
UNIT = 1000  # characters that are charged as one
_POLICIES = (
    "topicPolicyUnits",
    "contentPolicyUnits",
    "wordPolicyUnits",
    "sensitiveInformationPolicyUnits",
    "sensitiveInformationPolicyFreeUnits",
    "contextualGroundingPolicyUnits",
)


def apply_guardrail(members: Mapping[str, Json]) -> Json:
    """The answer for the members of the operation's input, which keep the service model's constraints."""
    texts = [block["text"]["text"] for block in members["content"] if "text" in block]
    characters = sum(map(len, texts))
    words = [word for text in texts for word in MARKER.findall(text)]
    usage = {**dict.fromkeys(_POLICIES, 0), "wordPolicyUnits": -(-characters // UNIT)}
    coverage = {"textCharacters": {"guarded": characters, "total": characters}}
    assessment: dict[str, Json] = {
        "invocationMetrics": {
            "guardrailProcessingLatency": 0,
            "usage": usage,
            "guardrailCoverage": coverage,
        }
    }
    if words:
        found = [{"match": word, "action": "BLOCKED", "detected": True} for word in words]
        assessment["wordPolicy"] = {"customWords": found, "managedWordLists": []}
    return {
        "usage": usage,
        "action": "GUARDRAIL_INTERVENED" if words else "NONE",
        "actionReason": "Guardrail blocked." if words else "No action.",
        "outputs": [{"text": BLOCKED}] if words else [],
        "assessments": [assessment],
        "guardrailCoverage": coverage,
    }
