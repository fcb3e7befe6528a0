"""What Anthropic's own SDK makes of an answer, printed as JSON; run by the Python of its environment.

anthropic_calls.py ENDPOINT CALL MODEL, where CALL is `stream` or `create`.
"""

import json
import sys
from typing import Any

TOOL = {
    "name": "order_status",
    "input_schema": {"type": "object", "properties": {"order_id": {"type": "string"}}},
}


def ask(endpoint: str, call: str, model: str) -> dict[str, Any]:
    """The events of the stream by type, and the message that they add up to."""
    import anthropic

    client = anthropic.AnthropicBedrock(
        aws_region="us-east-1",
        aws_access_key="default",
        aws_secret_key="secret",
        base_url=endpoint,
        max_retries=0,
    )
    request: dict[str, Any] = {
        "model": model,
        "max_tokens": 500,
        "messages": [{"role": "user", "content": "Where is it?"}],
        "tools": [TOOL],
    }
    if call == "create":
        return {"events": [], "message": client.messages.create(**request).model_dump(mode="json")}
    events: list[str] = []
    try:
        with client.messages.stream(**request) as stream:
            events += (event.type for event in stream)
            return {"events": events, "message": stream.get_final_message().model_dump(mode="json")}
    except Exception as error:
        return {"events": events, "error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    print(json.dumps(ask(*sys.argv[1:])))
