"""The smithy-python SDK: `converse_stream` of a client with all defaults."""

import json
from typing import Any

from aws_sdk_bedrock_runtime import models
from aws_sdk_bedrock_runtime.client import AsyncBedrockRuntimeClient
from aws_sdk_bedrock_runtime.config import AsyncBedrockRuntimeConfig
from common import MODEL, PROMPT, REGION, TOOL, TOOL_SCHEMA, TOOL_TEXT, Seen, lookup_subscription, main
from smithy_core.documents import Document

SPECIFICATION = models.ToolSpecification(
    name=TOOL, description=TOOL_TEXT, input_schema=models.ToolInputSchemaJson(Document(TOOL_SCHEMA))
)
TOOLS = models.ToolConfiguration(tools=[models.ToolToolSpec(SPECIFICATION)])


async def talk(endpoint: str, seen: Seen) -> None:
    config = await AsyncBedrockRuntimeConfig.resolve(endpoint_uri=endpoint, region=REGION)
    client = AsyncBedrockRuntimeClient(config)
    messages = [models.Message(role="user", content=[models.ContentBlockText(PROMPT)])]
    while True:
        turn = Turn(seen)
        tools = TOOLS if seen.with_tools else None
        request = models.ConverseStreamInput(model_id=MODEL, messages=messages, tool_config=tools)
        async with await client.converse_stream(request) as stream:
            async for event in stream.output_stream:
                turn.event(event)
        if seen.stop != "tool_use":
            return
        messages += turn.messages()


class Turn:
    """The blocks of one answer."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._texts: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        seen.stop = None

    def event(self, event: Any) -> None:
        match event:
            case models.ConverseStreamOutputContentBlockStart(value=start):
                tool = start.start.value
                self._calls[start.content_block_index] = {
                    "id": tool.tool_use_id,
                    "name": tool.name,
                    "input": "",
                }
            case models.ConverseStreamOutputContentBlockDelta(value=delta):
                self._delta(delta.content_block_index, delta.delta)
            case models.ConverseStreamOutputMessageStop(value=stop):
                self._seen.stop = stop.stop_reason
            case models.ConverseStreamOutputMetadata(value=metadata):
                self._seen.used(metadata.usage.input_tokens, metadata.usage.output_tokens)

    def _delta(self, index: int, delta: Any) -> None:
        match delta:
            case models.ContentBlockDeltaText(value=text):
                self._seen.text += text
                self._texts.append(text)
            case models.ContentBlockDeltaToolUse(value=part):
                self._calls[index]["input"] += part.input

    def messages(self) -> list[models.Message]:
        """What was said and what the tools say to it."""
        said: list[Any] = [models.ContentBlockText("".join(self._texts))]
        results: list[Any] = []
        for call in self._calls.values():
            arguments = json.loads(call["input"] or "{}")
            self._seen.call(call["name"], arguments)
            use = models.ToolUseBlock(tool_use_id=call["id"], name=call["name"], input=Document(arguments))
            said.append(models.ContentBlockToolUse(use))
            content = [models.ToolResultContentBlockText(lookup_subscription(**arguments))]
            result = models.ToolResultBlock(tool_use_id=call["id"], content=content)
            results.append(models.ContentBlockToolResult(result))
        return [
            models.Message(role="assistant", content=said),
            models.Message(role="user", content=results),
        ]


main(talk)
