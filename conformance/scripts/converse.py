"""A conversation in the terms of ConverseStream itself, for the SDKs that speak no other."""

import json
from collections.abc import Iterator
from typing import Any

from common import MAX_TOKENS, MODEL, PROMPT, TOOL, TOOL_SCHEMA, TOOL_TEXT, Seen, lookup_subscription

TOOL_CONFIG = {
    "tools": [
        {"toolSpec": {"name": TOOL, "description": TOOL_TEXT, "inputSchema": {"json": TOOL_SCHEMA}}},
    ]
}


class Conversation:
    """Requests and events, turn by turn: `for request in conversation: … conversation.event(event)`."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._messages: list[Any] = [{"role": "user", "content": [{"text": PROMPT}]}]
        self._blocks: dict[int, Any] = {}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The keyword arguments of each call; the next one brings the results of the tools."""
        while True:
            self._blocks = {}
            self._seen.stop = None
            yield self._request()
            if self._seen.stop != "tool_use":
                return
            self._messages += self._turn()

    def event(self, event: dict[str, Any]) -> None:
        """Take in an event of the stream."""
        match event:
            case {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": tool}}}:
                self._blocks[index] = {"toolUse": {**tool, "input": ""}}
            case {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"text": text}}}:
                self._seen.text += text
                self._blocks.setdefault(index, {"text": ""})["text"] += text
            case {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"toolUse": {"input": part}}}}:
                self._blocks[index]["toolUse"]["input"] += part
            case {"messageStop": {"stopReason": reason}}:
                self._seen.stop = reason
            case {"metadata": {"usage": usage}}:
                self._seen.used(usage["inputTokens"], usage["outputTokens"])

    def answer(self, answer: dict[str, Any]) -> None:
        """Take in all that Converse answers, or what is left of it."""
        content = answer.get("output", {}).get("message", {}).get("content", [])
        self._blocks = dict(enumerate(content))
        self._seen.text += "".join(block.get("text", "") for block in content)
        self.event({"messageStop": answer})
        self.event({"metadata": answer})

    def _request(self) -> dict[str, Any]:
        tools = {"toolConfig": TOOL_CONFIG} if self._seen.with_tools else {}
        limits = {"maxTokens": MAX_TOKENS}
        return {"modelId": MODEL, "messages": self._messages, "inferenceConfig": limits, **tools}

    def _turn(self) -> list[Any]:
        """What was said and what the tools say to it."""
        calls = [block["toolUse"] for block in self._blocks.values() if "toolUse" in block]
        for call in calls:
            if isinstance(call["input"], str):
                call["input"] = json.loads(call["input"] or "{}")
            self._seen.call(call["name"], call["input"])
        results = [
            {
                "toolResult": {
                    "toolUseId": call["toolUseId"],
                    "content": [{"text": lookup_subscription(**call["input"])}],
                }
            }
            for call in calls
        ]
        said = [self._blocks[index] for index in sorted(self._blocks)]
        return [{"role": "assistant", "content": said}, {"role": "user", "content": results}]
