"""Streams scenarios with botocore and prints what came: one line of JSON for each.

    python stream_scenarios.py ENDPOINT_URL READ_TIMEOUT SCENARIO...

Runs in any Python that has botocore, and needs nothing else: that is how old and new versions are compared.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import botocore.session
from botocore.config import Config

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
AT_ONCE = 16  # scenarios


def config(read_timeout: float) -> dict[str, Any]:
    """What a client is configured with; `read_timeout` is in seconds."""
    retries = {"total_max_attempts": 1}
    return {"read_timeout": read_timeout, "retries": retries, "max_pool_connections": AT_ONCE}


def stream_all(client: Any, names: list[str]) -> Iterator[dict[str, Any]]:
    """What each scenario brings."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda name: stream(client, name), names)


def stream(client: Any, name: str) -> dict[str, Any]:
    """What a streamed call with `client` brings: types of events, text, and the error if there is one."""
    came = nothing(name)
    response = None
    try:
        response = client.converse_stream(**request(name))
        for event in response["stream"]:
            note(event, came)
    except Exception as error:
        came["error"] = told(error)
    finally:
        if response:
            response["stream"].close()
    return came


def request(name: str) -> dict[str, Any]:
    """A request that names its scenario."""
    content = [{"text": f"When does it renew? [[scenario: {name}]]"}]
    return {"modelId": MODEL, "messages": [{"role": "user", "content": content}]}


def nothing(name: str) -> dict[str, Any]:
    return {"scenario": name, "events": [], "text": "", "error": None}


def note(event: dict[str, Any], came: dict[str, Any]) -> None:
    (kind,) = event
    came["events"].append(kind)
    if kind == "contentBlockDelta":
        came["text"] += event[kind]["delta"].get("text", "")


def told(error: Exception) -> dict[str, Any]:
    """An exception's class and text; for one that botocore understood, also the code of the service."""
    response = getattr(error, "response", None) or {}
    code = response.get("Error", {}).get("Code")
    kinds = [kind.__name__ for kind in type(error).__mro__]
    return {"class": f"{type(error).__module__}.{kinds[0]}", "kinds": kinds, "text": str(error), "code": code}


def main(endpoint_url: str, read_timeout: str, *names: str) -> None:
    """A client for each scenario: what breaks a connection would break the next call on it."""
    session = botocore.session.Session()
    clients = [
        session.create_client(
            "bedrock-runtime",
            endpoint_url=endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="default",
            aws_secret_access_key="dummy",
            config=Config(signature_version="v4", **config(float(read_timeout))),
        )
        for _ in names
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in as_completed([pool.submit(stream, *each) for each in zip(clients, names, strict=True)]):
            print(json.dumps(done.result()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
