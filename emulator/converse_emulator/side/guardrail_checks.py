"""InvokeGuardrailChecks: finds only what a marker names, as `[[guardrail: JAILBREAK]]` or `…EMAIL]]`.

A category whose marker stands in the messages has the severity 1, any other 0; the marker itself is what is
found of an entity. Shapes are those of the service model; units and the order of members are inferred.
"""

from collections.abc import Iterator, Mapping

from converse_emulator.language.scenario import Json
from converse_emulator.side.guardrails import MARKER, UNIT


def invoke_guardrail_checks(members: Mapping[str, Json]) -> Json:
    """The answer for the members of the operation's input, which keep the service model's constraints."""
    texts = list(_texts(members["messages"]))
    named = {word for _, _, text in texts for word in MARKER.findall(text)}
    results: dict[str, Json] = {}
    for check in ("contentFilter", "promptAttack"):
        if check in members["checks"]:
            asked = [each["category"] for each in members["checks"][check]["categories"]]
            results[check] = {"results": [_scored(category, category in named) for category in asked]}
    if "sensitiveInformation" in members["checks"]:
        types = {each["type"] for each in members["checks"]["sensitiveInformation"]["entities"]}
        found = [entity for entity in _entities(texts) if entity["type"] in types]
        results["sensitiveInformation"] = {"results": found, "truncated": False}
    units = -(-sum(len(text) for _, _, text in texts) // UNIT)
    return {"results": results, "usage": {check: {"textUnits": units} for check in results}}


def _scored(category: str, found: bool) -> Json:
    return {"category": category, "severityScore": 1.0 if found else 0.0}


def _texts(messages: list[Json]) -> Iterator[tuple[int, int, str]]:
    """Each text with the places of its message and of its block."""
    for place, message in enumerate(messages):
        for block, content in enumerate(message["content"]):
            if "text" in content:
                yield place, block, content["text"]


def _entities(texts: list[tuple[int, int, str]]) -> Iterator[dict[str, Json]]:
    for place, block, text in texts:
        for marker in MARKER.finditer(text):
            yield {
                "type": marker[1],
                "confidenceScore": 1.0,
                "beginOffset": marker.start(),
                "endOffset": marker.end(),
                "messageIndex": place,
                "contentIndex": block,
            }
