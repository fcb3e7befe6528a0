"""The right handler behind a WebSocket API: events in, messages out, one after the other."""

import asyncio
import contextlib
import itertools
import json
import os
from collections.abc import AsyncGenerator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from converse_contract.mutants.words import Messages, Out

AGAIN = 0.1  # seconds until a message that was too much is posted again


class Gone(Exception):
    """The connection is no more."""


class Socket:
    """The part of a handler that answers over a WebSocket API."""

    def begin_pushing(self) -> None:
        self.answering: dict[str, asyncio.Task[None]] = {}
        endpoint = os.environ.get("CHAT_WEBSOCKET_ENDPOINT")
        config = Config(retries={"total_max_attempts": 1})
        self.gateway: Any = None
        if endpoint:
            self.gateway = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint, config=config)

    def asked(self, body: bytes) -> Messages:
        raise NotImplementedError

    def beating(self, events: AsyncGenerator[Out]) -> AsyncGenerator[Out | None]:
        raise NotImplementedError

    def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        raise NotImplementedError

    def let_go(self, task: asyncio.Task[None] | None) -> None:
        raise NotImplementedError

    async def take_event(self, request: Request) -> Response:
        event = await request.json()
        connection = event["requestContext"]["connectionId"]
        match event["requestContext"]["eventType"]:
            case "DISCONNECT":
                self.closed(connection)
            case "MESSAGE":
                body = json.loads(event["body"])
                if body.get("action") == "cancel":
                    self.cancelled(connection)
                else:
                    work = self.answer(connection, event["body"].encode())
                    self.answering[connection] = asyncio.create_task(work)
            case _:
                pass
        return JSONResponse({"statusCode": 200})

    def closed(self, connection: str) -> None:
        self.let_go(self.answering.pop(connection, None))

    def cancelled(self, connection: str) -> None:
        self.let_go(self.answering.pop(connection, None))

    async def answer(self, connection: str, body: bytes) -> None:
        with contextlib.suppress(Gone):
            try:
                messages = self.asked(body)
            except ValueError as error:
                told = {"type": "error", "code": "invalid_request", "message": str(error)}
                await self.post(connection, self.numbered(1, told))
            else:
                await self.push(connection, messages)

    async def push(self, connection: str, messages: Messages) -> None:
        numbers = itertools.count(1)
        async with contextlib.aclosing(self.beating(self.reply(messages))) as events:
            async for event in events:
                told = {"type": "ping"} if event is None else self.numbered(next(numbers), event)
                await self.post(connection, told)

    def numbered(self, number: int, event: Out) -> Out:
        return {"seq": number, **event}

    async def post(self, connection: str, message: Out) -> None:
        """Until it is taken; raises `Gone`."""
        data = json.dumps(message, ensure_ascii=False).encode()
        while True:
            try:
                await asyncio.to_thread(self.gateway.post_to_connection, ConnectionId=connection, Data=data)
                return
            except ClientError as error:
                self.not_taken(error)
            await asyncio.sleep(AGAIN)

    def not_taken(self, error: Any) -> None:
        """Whether a message is to be posted again: raises `Gone` if not."""
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 410:
            raise Gone
