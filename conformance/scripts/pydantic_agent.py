"""pydantic-ai: an `Agent` with a `BedrockConverseModel`; it calls its tools by itself."""

from common import MODEL, PROMPT, REGION, Seen, lookup_subscription, main
from pydantic_ai import Agent
from pydantic_ai.messages import (
    FunctionToolCallEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.providers.bedrock import BedrockProvider
from pydantic_ai.run import AgentRunResultEvent


async def talk(endpoint: str, seen: Seen) -> None:
    model = BedrockConverseModel(MODEL, provider=BedrockProvider(region_name=REGION, base_url=endpoint))
    agent = Agent(model, tools=[lookup_subscription] if seen.with_tools else [])
    async with agent.run_stream_events(PROMPT) as events:
        async for event in events:
            match event:
                case PartStartEvent(part=TextPart(content=text)):
                    seen.text += text
                case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
                    seen.text += text
                case FunctionToolCallEvent(part=part):
                    seen.call(part.tool_name, part.args)
                case AgentRunResultEvent(result=result):
                    seen.stop = result.response.finish_reason
                    usage = result.response.usage
                    seen.used(usage.input_tokens, usage.output_tokens)


main(talk)
