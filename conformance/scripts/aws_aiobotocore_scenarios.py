"""Streams scenarios with aiobotocore and prints what came: one line of JSON for each.

python aws_aiobotocore_scenarios.py ENDPOINT_URL READ_TIMEOUT SCENARIO...
"""

import asyncio
import importlib.util
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

BOTO3 = Path(__file__).parents[2] / "tests" / "clients" / "stream_scenarios.py"
spec = importlib.util.spec_from_file_location("stream_scenarios", BOTO3)
assert spec
assert spec.loader
same = importlib.util.module_from_spec(spec)
spec.loader.exec_module(same)


AT_ONCE = asyncio.Semaphore(same.AT_ONCE)


async def stream(create_client: Callable[[], Any], name: str) -> None:
    """A client for each scenario: what breaks a connection would break the next call on it."""
    came = same.nothing(name)
    async with AT_ONCE, create_client() as client:
        try:
            response = await client.converse_stream(**same.request(name))
            async for event in response["stream"]:
                same.note(event, came)
            response["stream"].close()
        except Exception as error:
            came["error"] = same.told(error)
    print(json.dumps(came), flush=True)


async def main(endpoint_url: str, read_timeout: str, *names: str) -> None:
    create_client = partial(
        get_session().create_client,
        "bedrock-runtime",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="default",
        aws_secret_access_key="dummy",
        config=AioConfig(signature_version="v4", proxies={}, **same.config(float(read_timeout))),
    )
    await asyncio.gather(*(stream(create_client, name) for name in names))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
