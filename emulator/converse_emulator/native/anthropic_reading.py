"""Requests in Anthropic's Messages format, read into the form of Converse."""

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


def read(body: Body) -> Body:
    """A request of messages, whose content is a string or a list of blocks."""
    return conversation(
        [
            message(str(each.get("role")), _content(each.get("content")))
            for each in mappings(body.get("messages"))
        ],
        system=[block["text"] for block in text_blocks(body.get("system"))],
        most=body.get("max_tokens"),
        stops=body.get("stop_sequences"),
        tools=_tools(body),
        choice=_choice(body.get("tool_choice")),
    ) | _structured(body)


def _content(content: Json) -> Iterator[Body]:
    """The blocks of a message; one that is marked for the cache ends in a cachePoint."""
    if isinstance(content, str):
        yield from text_blocks(content)
    for block in mappings(content):
        yield from _block(block)
        yield from _cache_point(block)


def _block(block: Body) -> Iterator[Body]:
    match block:
        case {"type": "text", "text": str(text)} if text:
            yield {"text": text}
        case {"type": "image" | "document" as kind, "source": {"data": str(data)}}:
            yield {kind: {"source": {"bytes": data}}}
        case {"type": "tool_use"}:
            yield tool_call(block.get("id"), block.get("name"), block.get("input", {}))
        case {"type": "tool_result"}:
            result = block.get("content")
            failed = block.get("is_error") is True
            yield tool_result(block.get("tool_use_id"), text_blocks(result), failed=failed)
        case {"type": "thinking", "thinking": str(text)}:
            yield {"reasoningContent": {"reasoningText": {"text": text}}}


def _cache_point(block: Body) -> Iterator[Body]:
    control = block.get("cache_control")
    if isinstance(control, Mapping):
        ttl = {"ttl": control["ttl"]} if control.get("ttl") in ("5m", "1h") else {}
        yield {"cachePoint": {"type": "default", **ttl}}


def _tools(body: Body) -> Iterator[Body]:
    """The user's tools; those of Anthropic's own have no schema."""
    for offered in mappings(body.get("tools")):
        if "input_schema" in offered:
            yield tool(offered.get("name"), offered["input_schema"], offered.get("description"))
        yield from _cache_point(offered)


def _choice(choice: Json) -> Body | None:
    match choice:
        case {"type": "any"}:
            return {"any": {}}
        case {"type": "tool", "name": str(name)}:
            return {"tool": {"name": name}}
        case _:
            return None


def _structured(body: Body) -> dict[str, Json]:
    """A JSON schema that the answer has to fit, in either of the places where it may stand."""
    config = body.get("output_config")
    wanted = config.get("format") if isinstance(config, Mapping) else body.get("output_format")
    match wanted:
        case {"type": "json_schema", "schema": dict(schema)}:
            structure = {"jsonSchema": {"schema": json.dumps(schema)}}
            return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": structure}}}
        case _:
            return {}
