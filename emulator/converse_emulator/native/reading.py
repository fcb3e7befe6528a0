"""What native requests have in common, read into the form of Converse. Takes any JSON: it is not judged."""

import json
from collections.abc import Iterable, Iterator, Mapping

from converse_emulator.language.scenario import Json

Body = Mapping[str, Json]


def mappings(value: Json) -> Iterator[Body]:
    """The objects in a list; nothing for what is no list."""
    return (each for each in value if isinstance(each, Mapping)) if isinstance(value, list) else iter(())


def conversation(
    messages: Iterable[Body],
    *,
    system: Iterable[str] = (),
    most: Json = None,
    stops: Json = None,
    tools: Iterable[Body] = (),
    choice: Body | None = None,
) -> dict[str, Json]:
    """A body for Converse, without the members that would say nothing."""
    inference = {
        "maxTokens": most if type(most) is int and most > 0 else None,
        "stopSequences": [stop for stop in _list(stops) if isinstance(stop, str) and stop],
    }
    config = {"tools": list(tools), "toolChoice": choice}
    body: dict[str, Json] = {"messages": [each for each in messages if each["content"]]}
    members = {
        "system": [{"text": text} for text in system if text],
        "inferenceConfig": _filled(inference),
        "toolConfig": _filled(config) if config["tools"] else {},
    }
    return body | _filled(members)


def message(role: str, content: Iterable[Body]) -> dict[str, Json]:
    """A message for Converse."""
    return {"role": role, "content": list(content)}


def text_blocks(content: Json) -> list[Body]:
    """The text of a native message's content, a string or a list of parts."""
    if isinstance(content, str):
        return [{"text": content}] if content else []
    return [{"text": part["text"]} for part in mappings(content) if isinstance(part.get("text"), str)]


def prompt(text: Json) -> list[Body]:
    """The messages of a request that has nothing but a prompt."""
    return [message("user", text_blocks(text))]


def tool(name: Json, schema: Json, description: Json = None) -> Body:
    """A tool for Converse."""
    schema = dict(schema) if isinstance(schema, Mapping) else {}
    spec = {"name": str(name), "description": description, "inputSchema": {"json": schema}}
    return {"toolSpec": _filled(spec)}


def tool_call(call_id: Json, name: Json, arguments: Json) -> Body:
    """A tool call; arguments may be JSON in a string."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            arguments = {}
    return {"toolUse": {"toolUseId": str(call_id), "name": str(name), "input": arguments}}


def tool_result(call_id: Json, content: Iterable[Body], *, failed: bool = False) -> Body:
    """The result of a tool call."""
    result: dict[str, Json] = {"toolUseId": str(call_id), "content": list(content)}
    return {"toolResult": result | ({"status": "error"} if failed else {})}


def _list(value: Json) -> list[Json]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _filled(members: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in members.items() if value not in (None, [], {})}
