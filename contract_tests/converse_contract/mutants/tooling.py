"""The tools that the contract's scenarios call, and how a handler runs them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from converse_contract.mutants.turn import Block, Turn
from converse_contract.mutants.words import Out, Settings


async def lookup_subscription(given: dict[str, Any]) -> dict[str, Any]:
    customer = given["customer_id"]
    if customer == "C-404":
        raise LookupError(f"no customer {customer} in table subscriptions at db.internal:5432")
    return {"customer_id": customer, "plan": "Plus", "renews_on": "2027-01-01"}


async def order_status(given: dict[str, Any]) -> dict[str, Any]:
    return {"order_id": given["order_id"], "status": "shipped"}


async def slow_report(given: dict[str, Any]) -> dict[str, Any]:
    await asyncio.sleep(given["seconds"])
    return {"rows": 3}


TOOLS: Mapping[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
    "lookup_subscription": lookup_subscription,
    "order_status": order_status,
    "slow_report": slow_report,
}


def tool_config() -> dict[str, Any]:
    """What Bedrock is told about them."""

    def spec(name: str, member: str, kind: str) -> dict[str, Any]:
        schema = {"type": "object", "properties": {member: {"type": kind}}, "required": [member]}
        return {"toolSpec": {"name": name, "description": name, "inputSchema": {"json": schema}}}

    return {
        "tools": [
            spec("lookup_subscription", "customer_id", "string"),
            spec("order_status", "order_id", "string"),
            spec("slow_report", "seconds", "number"),
        ]
    }


class Tooling:
    """The part of a handler that runs tools and keeps the conversation."""

    settings: Settings

    def tool_start(self, block: Block) -> Out:
        return {"type": "tool_start", "id": block.id, "name": block.name, "label": "Looking that up…"}

    def tool_end(self, block: Block, ok: bool) -> Out:
        error = None if ok else "tool_failed"
        return {"type": "tool_end", "id": block.id, "name": block.name, "ok": ok, "error": error}

    async def tool(self, block: Block) -> tuple[bool, dict[str, Any]]:
        """Run a tool and give its result block; whatever goes wrong is told to the model."""
        try:
            given = self.parsed(block.text)
            result = await asyncio.wait_for(TOOLS[block.name](given), self.tool_limit())
        except Exception:
            return False, self.result(block, "error", {"text": "The tool failed."})
        return True, self.result(block, "success", {"json": result})

    def tool_limit(self) -> float | None:
        return self.settings.tool_timeout

    def parsed(self, text: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(text or "{}")
        return value

    def result(self, block: Block, status: str, content: dict[str, Any]) -> dict[str, Any]:
        return {"toolResult": {"toolUseId": block.id, "content": [content], "status": status}}

    def said(self, turn: Turn) -> dict[str, Any]:
        """The model's own turn, for the history."""
        return {"role": "assistant", "content": [*filter(None, map(self.spoken, turn.blocks.values()))]}

    def spoken(self, block: Block) -> dict[str, Any] | None:
        match block.kind:
            case "tool":
                try:
                    given = self.parsed(block.text)
                except ValueError:
                    given = {}  # it was never run; the history needs an object
                return {"toolUse": {"toolUseId": block.id, "name": block.name, "input": given}}
            case "thinking" if block.redacted:
                return {"reasoningContent": {"redactedContent": block.redacted}}
            case "thinking":
                signed = {"text": block.text, "signature": block.signature}
                return {"reasoningContent": {"reasoningText": signed}}
            case _:
                return {"text": block.text} if block.text else None
