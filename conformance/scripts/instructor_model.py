"""Instructor: `from_bedrock` over a boto3 client. It asks for a tool call and makes its input an object."""

from typing import Any

import boto3
import instructor
from common import MODEL, PROMPT, REGION, TOOL, Seen, main
from pydantic import BaseModel


class Subscription(BaseModel):
    """Look up the subscription of a customer."""

    customer_id: str


Subscription.__name__ = TOOL  # what the tool is called


def talk(endpoint: str, seen: Seen) -> None:
    boto = boto3.client("bedrock-runtime", endpoint_url=endpoint, region_name=REGION)
    client = instructor.from_bedrock(boto)
    question = [{"role": "user", "content": PROMPT}]
    if seen.with_tools:
        subscription = client.create(modelId=MODEL, messages=question, response_model=Subscription)
        seen.call(TOOL, subscription.model_dump())
        note(subscription._raw_response, seen)
    else:
        note(client.create(modelId=MODEL, messages=question, response_model=None), seen)


def note(raw: dict[str, Any], seen: Seen) -> None:
    """Take in what boto3 gave to Instructor."""
    content = raw.get("output", {}).get("message", {}).get("content", [])
    seen.text = "".join(block.get("text", "") for block in content)
    seen.stop = raw.get("stopReason")
    if usage := raw.get("usage"):
        seen.used(usage["inputTokens"], usage["outputTokens"])


main(talk)
