"""Haystack: `AmazonBedrockChatGenerator` with a `streaming_callback`, the endpoint from the environment."""

import os

from common import MODEL, PROMPT, TOOL, TOOL_SCHEMA, TOOL_TEXT, Seen, lookup_subscription, main
from haystack.dataclasses import ChatMessage, StreamingChunk
from haystack.tools import Tool
from haystack_integrations.components.generators.amazon_bedrock import AmazonBedrockChatGenerator


def talk(endpoint: str, seen: Seen) -> None:
    os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = endpoint
    lookup = Tool(TOOL, TOOL_TEXT, TOOL_SCHEMA, lookup_subscription)

    def show(chunk: StreamingChunk) -> None:
        seen.text += chunk.content

    tools = [lookup] if seen.with_tools else None
    generator = AmazonBedrockChatGenerator(MODEL, streaming_callback=show, tools=tools)
    messages = [ChatMessage.from_user(PROMPT)]
    while True:
        said = generator.run(messages)["replies"][0]
        seen.stop = said.meta.get("finish_reason")
        if usage := said.meta.get("usage"):
            seen.used(usage["prompt_tokens"], usage["completion_tokens"])
        if not said.tool_calls:
            return
        messages.append(said)
        for call in said.tool_calls:
            seen.call(call.tool_name, call.arguments)
            messages.append(ChatMessage.from_tool(lookup.invoke(**call.arguments), origin=call))


main(talk)
