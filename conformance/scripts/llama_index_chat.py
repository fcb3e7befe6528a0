"""LlamaIndex: `BedrockConverse.stream_chat`, and `stream_chat_with_tools` where there are tools.

It tells no stop reason.
"""

from common import MODEL, PROMPT, REGION, Seen, lookup_subscription, main
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.bedrock_converse import BedrockConverse


def talk(endpoint: str, seen: Seen) -> None:
    llm = BedrockConverse(model=MODEL, region_name=REGION, endpoint_url=endpoint)
    tools = [FunctionTool.from_defaults(lookup_subscription)] if seen.with_tools else []
    messages = [ChatMessage(role="user", content=PROMPT)]
    calls = True
    while calls:
        stream = (
            llm.stream_chat_with_tools(tools, chat_history=messages) if tools else llm.stream_chat(messages)
        )
        said = None
        for said in stream:
            seen.text += said.delta or ""
        if said is None:
            return
        if usage := said.additional_kwargs:
            seen.used(usage["prompt_tokens"], usage["completion_tokens"])
        messages.append(said.message)
        calls = llm.get_tool_calls_from_response(said, error_on_no_tool_call=False)
        for call in calls:
            seen.call(call.tool_name, call.tool_kwargs)
            result = lookup_subscription(**call.tool_kwargs)
            about = {"tool_call_id": call.tool_id}
            messages.append(ChatMessage(role="tool", content=result, additional_kwargs=about))


main(talk)
