"""Anthropic's SDK: `AnthropicBedrock.messages.stream`, which calls InvokeModelWithResponseStream."""

from typing import Any

from anthropic import AnthropicBedrock
from common import (
    MAX_TOKENS,
    MODEL,
    PROMPT,
    REGION,
    TOOL,
    TOOL_SCHEMA,
    TOOL_TEXT,
    Seen,
    lookup_subscription,
    main,
)

TOOLS = [{"name": TOOL, "description": TOOL_TEXT, "input_schema": TOOL_SCHEMA}]


def talk(endpoint: str, seen: Seen) -> None:
    client = AnthropicBedrock(base_url=endpoint, aws_region=REGION)
    messages: list[Any] = [{"role": "user", "content": PROMPT}]
    tools = {"tools": TOOLS} if seen.with_tools else {}
    while True:
        seen.stop = None
        with client.messages.stream(model=MODEL, max_tokens=MAX_TOKENS, messages=messages, **tools) as stream:
            for text in stream.text_stream:
                seen.text += text
            said = stream.get_final_message()
        seen.stop = said.stop_reason
        seen.used(said.usage.input_tokens, said.usage.output_tokens)
        if seen.stop != "tool_use":
            return
        messages += turn(said, seen)


def turn(said: Any, seen: Seen) -> list[Any]:
    """What was said and what the tools say to it."""
    results = []
    for block in said.content:
        if block.type == "tool_use":
            seen.call(block.name, block.input)
            content = lookup_subscription(**block.input)
            results.append({"type": "tool_result", "tool_use_id": block.id, "content": content})
    return [{"role": "assistant", "content": said.content}, {"role": "user", "content": results}]


main(talk)
