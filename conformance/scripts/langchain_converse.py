"""langchain-aws: `ChatBedrockConverse.stream`."""

from typing import Any

from common import MODEL, PROMPT, REGION, Seen, lookup_subscription, main
from langchain_aws import ChatBedrockConverse
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool


def talk(endpoint: str, seen: Seen) -> None:
    chat = ChatBedrockConverse(model=MODEL, region_name=REGION, endpoint_url=endpoint)
    lookup = tool(lookup_subscription)
    model = chat.bind_tools([lookup]) if seen.with_tools else chat
    messages: list[Any] = [HumanMessage(PROMPT)]
    calling = True
    while calling:
        said = None
        for chunk in model.stream(messages):
            seen.text += chunk.text
            said = chunk if said is None else said + chunk
        if said is None:
            return
        note(said, seen)
        messages.append(said)
        for call in said.tool_calls:
            seen.call(call["name"], call["args"])
            messages.append(ToolMessage(lookup.invoke(call["args"]), tool_call_id=call["id"]))
        calling = bool(said.tool_calls)


def note(said: Any, seen: Seen) -> None:
    seen.stop = said.response_metadata.get("stopReason")
    if usage := said.usage_metadata:
        seen.used(usage["input_tokens"], usage["output_tokens"])


main(talk)
