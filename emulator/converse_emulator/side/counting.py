"""CountTokens: what `usage.inputTokens` will say of a request, without making it."""

import json
from base64 import b64decode
from collections.abc import Mapping

from converse_emulator.http.refusals import ServiceError
from converse_emulator.language.scenario import Json
from converse_emulator.scripting.tokens import count_request


def count_tokens(members: Mapping[str, Json]) -> Json:
    """The answer for the members of the operation's input, which keep the service model's constraints."""
    given = members["input"]
    body = given["converse"] if "converse" in given else _native(given["invokeModel"]["body"])
    return {"inputTokens": count_request(body)}


def _native(body: str) -> Mapping[str, Json]:
    """The members that hold the prompt in a model's own form, by the names that Converse has for them."""
    try:
        native = json.loads(b64decode(body))
    except ValueError as error:
        raise ServiceError("ValidationException", f"Malformed input request: {error}") from error
    if not isinstance(native, dict):
        raise ServiceError("ValidationException", "Malformed input request: it must be a JSON object")
    prompts = (native.get(name) for name in ("messages", "prompt", "inputText", "message"))
    return {
        "messages": next((prompt for prompt in prompts if prompt), None),
        "system": native.get("system"),
        "toolConfig": native.get("tools"),
    }
