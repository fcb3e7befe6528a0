"""A WebSocket API's `@connections`: how a handler talks to a browser that it has no socket to.

Every message is an HTTP call of its own, and two at a time overtake each other: one after the other, then.
boto3 blocks, so each call runs in a thread. What it raises becomes one of two: the browser has left, or it
cannot be told.
"""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from converse_handler.publishing import NotPublished, ReaderLeft
from converse_handler.retry import Retries
from converse_handler.settings import SettingsError

TIMEOUT = 5.0  # seconds that one call may take
POOL = 64  # calls at a time
AGAIN = {408, 429, 500, 502, 503, 504}  # 429: the browser takes less than it is sent
LONGEST_PAUSE = 1.0  # seconds
LEFT = "the browser has left"


def connect_management(endpoint: str) -> Any:
    """An apigatewaymanagementapi client that never retries.

    `endpoint` is `https://API.execute-api.REGION.amazonaws.com/STAGE`. Raises `SettingsError` if that is no
    URL, or AWS does not find enough.
    """
    config = Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=TIMEOUT,
        read_timeout=TIMEOUT,
        max_pool_connections=POOL,
    )
    try:
        return boto3.client("apigatewaymanagementapi", endpoint_url=endpoint, config=config)
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(f"no client for connections: {error}") from error


class Connections:
    """All connections of an API. `patience`: seconds that a browser may take to make room for a message."""

    def __init__(self, client: Any, patience: float, chance: Callable[[], float] = random.random) -> None:
        self.client = client
        self.patience = patience
        self.chance = chance
        self.pool = ThreadPoolExecutor(POOL, "connections")

    def of(self, connection_id: str) -> "Connection":
        """The connection with this id, which must come from an event's `requestContext`: one that a client
        names would let it write to others."""
        return Connection(self, connection_id)


class Connection:
    """One browser's connection."""

    def __init__(self, all_of_them: Connections, connection_id: str) -> None:
        self._all = all_of_them
        self._id = connection_id
        self._one_by_one = asyncio.Lock()
        self.posted_at = asyncio.get_running_loop().time()
        self.left = False  # the gateway said so: no need to try

    async def post(self, text: bytes) -> None:
        """Deliver a message before any later one. Raises `ReaderLeft`, and `NotPublished` for anything else.

        A message may arrive twice when an answer got lost; numbers tell.
        """
        loop = asyncio.get_running_loop()
        retries = Retries(0, 0.05)
        async with self._one_by_one:
            until = loop.time() + self._all.patience
            attempt = 1
            while (error := await self._post(text)) is not None:
                pause = min(LONGEST_PAUSE, retries.pause(attempt, self._all.chance()))
                if not error.again or loop.time() + pause > until:
                    raise error
                await asyncio.sleep(pause)
                attempt += 1
            self.posted_at = loop.time()

    async def _post(self, text: bytes) -> NotPublished | None:
        return ReaderLeft(LEFT) if self.left else await self._try("post_to_connection", Data=text)

    async def close(self) -> None:
        """End the connection, so that the browser does not wait for what will not come."""
        await self._try("delete_connection")

    async def _try(self, operation: str, **parameters: Any) -> NotPublished | None:
        call = partial(getattr(self._all.client, operation), ConnectionId=self._id, **parameters)
        try:
            await asyncio.get_running_loop().run_in_executor(self._all.pool, call)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 410:
                return ReaderLeft(LEFT)
            return NotPublished(f"{operation}: {error}", again=status in AGAIN)
        except BotoCoreError as error:
            lost = isinstance(error, ConnectionError | HTTPClientError)  # botocore's own
            return NotPublished(f"{operation}: {error}", again=lost)
        return None
