"""LiteLLM: `completion(stream=True)` with `bedrock/converse/`; it tells what came in OpenAI's terms."""

from typing import Any

import litellm
from common import MODEL, PROMPT, REGION, TOOL, TOOL_SCHEMA, TOOL_TEXT, Seen, lookup_subscription, main

TOOLS = [
    {"type": "function", "function": {"name": TOOL, "description": TOOL_TEXT, "parameters": TOOL_SCHEMA}}
]


def talk(endpoint: str, seen: Seen) -> None:
    messages: list[Any] = [{"role": "user", "content": PROMPT}]
    while True:
        stream = litellm.completion(
            model=f"bedrock/converse/{MODEL}",
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            aws_bedrock_runtime_endpoint=endpoint,
            aws_region_name=REGION,
            tools=TOOLS if seen.with_tools else None,
        )
        seen.stop = None
        calls = answer(stream, seen)
        if seen.stop != "tool_calls":
            return
        messages += turn(calls, seen)


def answer(stream: Any, seen: Seen) -> list[dict[str, Any]]:
    """The calls of tools in one answer."""
    calls: dict[int, dict[str, Any]] = {}
    for chunk in stream:
        if usage := getattr(chunk, "usage", None):
            seen.used(usage.prompt_tokens, usage.completion_tokens)
        for choice in chunk.choices:
            seen.text += choice.delta.content or ""
            seen.stop = choice.finish_reason or seen.stop
            for part in choice.delta.tool_calls or []:
                call = calls.setdefault(part.index, {"id": part.id, "name": part.function.name, "input": ""})
                call["input"] += part.function.arguments or ""
    return list(calls.values())


def turn(calls: list[dict[str, Any]], seen: Seen) -> list[Any]:
    """What was said and what the tools say to it."""
    said = {
        "role": "assistant",
        "tool_calls": [
            {
                "type": "function",
                "id": call["id"],
                "function": {"name": call["name"], "arguments": call["input"]},
            }
            for call in calls
        ],
    }
    results = []
    for call in calls:
        seen.call(call["name"], call["input"])
        content = lookup_subscription(**seen.tools[-1]["input"])
        results.append({"role": "tool", "tool_call_id": call["id"], "content": content})
    return [said, *results]


main(talk)
