"""Strands Agents: an `Agent` with a `BedrockModel`; it calls its tools by itself."""

from common import MODEL, PROMPT, REGION, Seen, lookup_subscription, main
from strands import Agent, tool
from strands.models import BedrockModel


async def talk(endpoint: str, seen: Seen) -> None:
    model = BedrockModel(model_id=MODEL, region_name=REGION, endpoint_url=endpoint)
    tools = [tool(lookup_subscription)] if seen.with_tools else []
    agent = Agent(model=model, tools=tools, callback_handler=None)
    async for event in agent.stream_async(PROMPT):
        if "data" in event:
            seen.text += event["data"]
        if "result" in event:
            seen.stop = event["result"].stop_reason
            usage = event["result"].metrics.accumulated_usage
            seen.used(usage["inputTokens"], usage["outputTokens"])
        if "message" in event:
            for block in event["message"]["content"]:
                if "toolUse" in block:
                    seen.call(block["toolUse"]["name"], block["toolUse"]["input"])


main(talk)
