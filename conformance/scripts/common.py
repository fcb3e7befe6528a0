"""What the Python scripts share: question, tool, and the line of JSON that tells what the user saw."""

import asyncio
import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
REGION = "us-east-1"
PROMPT = "When does the subscription of customer C-100 renew?"
MAX_TOKENS = 256

TOOL = "lookup_subscription"
TOOL_TEXT = "Look up the subscription of a customer."
TOOL_SCHEMA = {
    "type": "object",
    "properties": {"customer_id": {"type": "string"}},
    "required": ["customer_id"],
}


def lookup_subscription(customer_id: str) -> str:
    """Look up the subscription of a customer."""
    return f"The subscription of {customer_id} renews on 1 March."


@dataclass
class Seen:
    """What the user has seen so far; kept as it comes, so that an error leaves what came before it."""

    with_tools: bool
    text: str = ""
    tools: list[dict[str, Any]] = field(default_factory=list)  # calls: {"name", "input"}
    stop: str | None = None
    usage: dict[str, int] | None = None  # {"input", "output"} tokens of the last answer
    error_class: str | None = None
    error_text: str | None = None

    def call(self, name: str, arguments: Any) -> None:
        """A call of a tool; the client may give its input as JSON text."""
        if isinstance(arguments, str):
            arguments = json.loads(arguments or "{}")
        self.tools.append({"name": name, "input": arguments})

    def used(self, tokens_in: int, tokens_out: int) -> None:
        self.usage = {"input": tokens_in, "output": tokens_out}

    def failed(self, error: BaseException) -> None:
        self.error_class = f"{type(error).__module__}.{type(error).__qualname__}"
        self.error_text = str(error)


def main(talk: Callable[[str, Seen], Any]) -> None:
    """Run `talk(endpoint, seen)`, a function or a coroutine function, and print what was seen."""
    endpoint, condition = sys.argv[1:]
    seen = Seen(with_tools=condition == "tools")
    try:
        talking = talk(endpoint, seen)
        if inspect.iscoroutine(talking):
            asyncio.run(talking)
    except Exception as error:
        seen.failed(error)
    told = asdict(seen)
    del told["with_tools"]
    print(json.dumps(told, ensure_ascii=False), flush=True)
