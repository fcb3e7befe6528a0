"""The same chat in a Lambda function with the managed Python runtime: `websocket_lambda.handler`.

The gateway waits for 29 seconds, and a function that has returned is frozen. So a question starts another
invocation of this function, asynchronously, and returns; that one talks until the answer is over, for 15
minutes if need be. Let it not be retried (`MaximumRetryAttempts: 0`), or a question may be answered, and paid
for, again.

Invocations share nothing. So `cancel` closes the connection, which tells whoever writes to it; a browser that
has another question connects again. Nothing keeps a second question from overlapping the first.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from converse_handler.bridge import Bedrock, connect
from converse_handler.connections import Connections, connect_management
from converse_handler.demo_tools import DEMO_TOOLS
from converse_handler.metrics import Metrics
from converse_handler.settings import Settings
from converse_handler.websocket import OK, Desk, Reply, action

ANSWER = "converse_handler.answer"  # an event that has this member is the function's own


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The function's entry point."""
    if event.get(ANSWER):
        asyncio.run(_answer(event))
    elif event["requestContext"]["eventType"] == "MESSAGE":
        match action(event):
            case "cancel":
                asyncio.run(_close(event))
            case "ping":
                pass
            case _:
                _detach({**event, ANSWER: True}, context.invoked_function_arn)
    return OK


async def _answer(event: Mapping[str, Any]) -> None:
    await Reply(_desk(event), event).run()


async def _close(event: Mapping[str, Any]) -> None:
    await _desk(event).connections.of(event["requestContext"]["connectionId"]).close()


def _detach(event: Mapping[str, Any], function: str) -> None:
    """Have the event dealt with by another invocation. The gateway's own events never have our member: what a
    browser sends is a string in them."""
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    client = boto3.client("lambda", config=config)
    client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))


def _desk(event: Mapping[str, Any]) -> Desk:
    """What answers are made with. They go to where the event came from, unless the settings say otherwise."""
    context = event["requestContext"]
    return _made(f"https://{context['domainName']}/{context['stage']}")


@cache
def _made(endpoint: str) -> Desk:
    settings = Settings.from_environment(os.environ)
    client = connect_management(settings.websocket_endpoint or endpoint)
    connections = Connections(client, settings.between_bytes_timeout)
    return Desk(settings, Bedrock(connect(settings)), connections, DEMO_TOOLS, Metrics())
