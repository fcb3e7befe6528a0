"""What the model says when no scenario applies: prose, a tool call, the final answer after its result.

Made from the request and a seeded stream of chance alone: the same for the same. A conversation ends: after a
tool's result comes the answer, never another call.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from converse_emulator.answering.prose import prose
from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Json, Reply, Text, ToolUse
from converse_emulator.models.model_ids import family

_QUOTED = 200  # characters of a tool's result that the answer repeats
# Families that do not take back a turn with both text and a tool call (the rule `mixed-calls`).
_CALLS_ALONE = ("llama", "mistral")


def automatic_reply(request: Request, rng: Random) -> Reply:
    """The reply to `request`: one call of a tool where tools are offered, what fits a schema, else prose."""
    if request.native is not None and _wordless(request):
        return ()
    messages = request.body.get("messages") or []
    last = messages[-1]["content"] if messages else []
    own = Random(f"{rng.getrandbits(64)}:{json.dumps(last, sort_keys=True)}")
    results = [block["toolResult"] for block in last if "toolResult" in block]
    if results:
        names = dict(_tool_names(messages))
        said = [_about(result, names.get(result["toolUseId"], "the tool")) for result in results]
        answer = " ".join([*said, prose(own, paragraphs=1)])
    elif call := _tool_call(request.body.get("toolConfig") or {}, own):
        return call[-1:] if family(request.model) in _CALLS_ALONE else call
    else:
        answer = ""
    text = _structured(request.body, own) or answer or prose(own, paragraphs=2)
    return (Text(text, split="usual"),)


def _wordless(request: Request) -> bool:
    from converse_emulator import native

    return native.wordless(request)


def _structured(body: Mapping[str, Json], rng: Random) -> str | None:
    """A JSON text that fits the schema which the request demands; None for a schema without an instance."""
    match body.get("outputConfig"):
        case {"textFormat": {"structure": {"jsonSchema": {"schema": str(text)}}}}:
            from converse_emulator.answering.schema_instance import UnsupportedSchema, instance

            try:
                return json.dumps(instance(json.loads(text), rng), ensure_ascii=False)
            except (ValueError, UnsupportedSchema):
                return None
        case _:
            return None


def _tool_call(config: Mapping[str, Json], rng: Random) -> Reply | None:
    """A call that the `toolChoice` allows; None without tools or for schemas that have no instance."""
    choice = config.get("toolChoice") or {}
    forced = choice["tool"]["name"] if "tool" in choice else None
    offered = [tool["toolSpec"] for tool in config.get("tools") or () if "toolSpec" in tool]
    offered = [tool for tool in offered if forced in (None, tool["name"])]
    if not offered:
        return None
    from converse_emulator.answering.schema_instance import UnsupportedSchema, instance

    for tool in rng.sample(offered, len(offered)):
        schema = tool["inputSchema"].get("json", {})
        if not isinstance(schema, Mapping):
            continue  # a session takes any JSON for a schema
        try:
            call = ToolUse(tool["name"], instance({"type": "object", **schema}, rng))
        except UnsupportedSchema:
            continue
        if forced or "any" in choice:
            return (call,)  # a model that has to call says nothing first
        return Text(f"Let me use {tool['name']} for that."), call
    return None


def _tool_names(messages: Sequence[Mapping[str, Json]]) -> Iterator[tuple[str, str]]:
    """Ids of the conversation's tool calls, with the tools' names."""
    for message in messages:
        for block in message["content"]:
            if "toolUse" in block:
                yield block["toolUse"]["toolUseId"], block["toolUse"]["name"]


def _about(result: Mapping[str, Json], name: str) -> str:
    """A sentence about a tool's result."""
    parts = (_as_text(block) for block in result.get("content", ()))
    said = " ".join(" ".join(parts).split())
    said = said if len(said) <= _QUOTED else said[:_QUOTED] + "…"
    verb = "failed" if result.get("status") == "error" else "answered"
    return f"{name} {verb}: {said}." if said else f"{name} {verb} without a word."


def _as_text(block: Mapping[str, Json]) -> str:
    if "text" in block:
        return str(block["text"])
    if "json" in block:
        return json.dumps(block["json"], ensure_ascii=False)
    return f"({', '.join(block)})"
