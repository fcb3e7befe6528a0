"""Requests in the form of chat completions, which many families share, read into the form of Converse."""

import json
from collections.abc import Iterator, Mapping

from converse_emulator.language.scenario import Json
from converse_emulator.native.reading import (
    Body,
    conversation,
    mappings,
    message,
    text_blocks,
    tool,
    tool_call,
    tool_result,
)

# What `tool_choice` may be, and what Converse says for it.
_CHOICES: Mapping[str, Body] = {"auto": {"auto": {}}, "any": {"any": {}}, "required": {"any": {}}}


def read_chat(body: Body) -> Body:
    """A request of messages with roles; those of tools become results that the user brings."""
    said = list(mappings(body.get("messages")))
    return conversation(
        _messages(said),
        system=[_text(each) for each in said if each.get("role") in ("system", "developer")],
        most=body.get("max_completion_tokens", body.get("max_tokens")),
        stops=body.get("stop"),
        tools=_tools(body),
        choice=_choice(body.get("tool_choice")),
    ) | _structured(body.get("response_format"))


def _messages(said: list[Body]) -> Iterator[Body]:
    for each in said:
        content = text_blocks(each.get("content"))
        match each.get("role"):
            case "assistant":
                calls = [_call(call) for call in mappings(each.get("tool_calls"))]
                yield message("assistant", [*content, *calls])
            case "tool":
                yield message("user", [tool_result(each.get("tool_call_id"), content)])
            case "user":
                yield message("user", content)


def _text(said: Body) -> str:
    return "\n".join(block["text"] for block in text_blocks(said.get("content")))


def _call(call: Body) -> Body:
    function = call.get("function")
    function = function if isinstance(function, Mapping) else {}
    return tool_call(call.get("id"), function.get("name"), function.get("arguments"))


def _tools(body: Body) -> Iterator[Body]:
    for offered in mappings(body.get("tools")):
        function = offered.get("function")
        if isinstance(function, Mapping):
            yield tool(function.get("name"), function.get("parameters") or {}, function.get("description"))


def _choice(choice: Json) -> Body | None:
    match choice:
        case str():
            return _CHOICES.get(choice)
        case {"function": {"name": str(name)}}:
            return {"tool": {"name": name}}
        case _:
            return None


def _structured(wanted: Json) -> dict[str, Json]:
    """A JSON schema that the answer has to fit."""
    match wanted:
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            structure = {"jsonSchema": {"schema": json.dumps(schema)}}
            return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": structure}}}
        case _:
            return {}
