"""Native requests: read for Converse, judged, and what they say in headers."""

from collections.abc import Iterator, Mapping

from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Body, Unstreamable
from converse_emulator.native.formats import known_format
from converse_emulator.native.reading import conversation, mappings, message, prompt, text_blocks
from converse_emulator.shapes.service import violations
from converse_emulator.shapes.violations import summary

# Headers of a request and of its response: what the request asks for, the response says it got.
ECHOED = ("X-Amzn-Bedrock-PerformanceConfig-Latency", "X-Amzn-Bedrock-Service-Tier")
_GUARDRAIL = {
    "guardrailIdentifier": "x-amzn-bedrock-guardrailidentifier",
    "guardrailVersion": "x-amzn-bedrock-guardrailversion",
    "trace": "x-amzn-bedrock-trace",
}
_JAVA = {
    str: "String",
    list: "JSONArray",
    dict: "JSONObject",
    bool: "Boolean",
    int: "Integer",
    float: "Number",
}


def read(model_id: str, headers: Mapping[str, str], body: Body) -> Body:
    """The request as Converse would have it; of an unknown format as much as can be told."""
    known = known_format(model_id, body)
    content = known.read(body) if known else _anything(body)
    config = {name: headers[header].lower() for name, header in _GUARDRAIL.items() if header in headers}
    return {**content, "guardrailConfig": config} if "guardrailIdentifier" in config else content


def _anything(body: Body) -> Body:
    """What looks like messages or a prompt, so that markers and matches work for any model."""
    said = [
        message(str(each.get("role")), text_blocks(each.get("content")))
        for each in mappings(body.get("messages"))
    ]
    alone = (body.get(name) for name in ("prompt", "inputText", "message", "text"))
    return conversation(said or prompt(next((text for text in alone if isinstance(text, str)), "")))


def judge(request: Request) -> str | None:
    """The text of the ValidationException for what is wrong with a request."""
    if found := violations(request.operation, request.model_id, {}):
        return summary(found)
    body = request.native or {}
    known = known_format(request.model, body)
    if known is None:
        return None
    if known.speech is None and request.operation == "InvokeModelWithResponseStream":
        return str(Unstreamable())
    found = list(_missing(body, known.requires))
    if known.converse and not found:
        found = violations("Converse", request.model_id, request.body)
        found = found and [f"{len(found)} schema violations found"]
    return _malformed(found)


def _missing(body: Body, requires: Mapping[str, type]) -> Iterator[str]:
    for name, kind in requires.items():
        if name not in body:
            yield f"#: required key [{name}] not found"
        elif type(body[name]) is not kind:
            yield f"#/{name}: expected type: {_JAVA[kind]}, found: {_java(body[name])}"


def _java(value: Json) -> str:
    return _JAVA.get(type(value), "Null")


def _malformed(found: list[str]) -> str | None:
    """One violation is told, several are counted, as the service does."""
    if not found:
        return None
    what = found[0] if len(found) == 1 else f"{len(found)} schema violations found"
    return f"Malformed input request: {what}, please reformat your input and try again."


def echoed(request: Request) -> Iterator[tuple[str, str]]:
    """The headers that a response repeats (of the service model; nobody recorded them)."""
    for name in ECHOED:
        if value := request.headers.get(name.lower()):
            yield name, value
