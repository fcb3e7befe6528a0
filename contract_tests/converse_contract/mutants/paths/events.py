"""The right handler over AppSync Events: numbered events, published to a channel of whoever asks."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import time
from collections.abc import AsyncGenerator
from uuid import uuid4

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from converse_contract.mutants.words import Messages, Out

MOST = 5  # events of a publish
PAUSE = 0.05  # seconds between two


class Events:
    """The part of a handler that answers over AppSync Events."""

    def begin_publishing(self) -> None:
        self.endpoint = os.environ.get("CHAT_APPSYNC_ENDPOINT", "")
        self.namespace = os.environ.get("CHAT_APPSYNC_NAMESPACE", "chat")
        self.secret = os.environ.get("CHAT_APPSYNC_SECRET", "").encode()
        self.channels: dict[str, asyncio.Task[None]] = {}
        self.published: dict[str, list[str]] = {}

    def asked(self, body: bytes) -> Messages:
        raise NotImplementedError

    def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        raise NotImplementedError

    def let_go(self, task: asyncio.Task[None] | None) -> None:
        raise NotImplementedError

    def numbered(self, number: int, event: Out) -> Out:
        raise NotImplementedError

    async def session(self, _request: Request) -> Response:
        claim = f"{uuid4().hex}.{int(time.time()) + 3600}"
        ticket = f"{claim}.{self.signature(claim)}"
        user, _, _ = claim.partition(".")
        told = {
            "realtime_url": self.endpoint.replace("http", "ws", 1) + "/realtime",
            "host": httpx.URL(self.endpoint).netloc.decode(),
            "ticket": ticket,
            "channels": f"/{self.namespace}/{user}/",
        }
        return JSONResponse(told)

    def signature(self, claim: str) -> str:
        return hmac.digest(self.secret, claim.encode(), hashlib.sha256).hex()

    def own(self, request: Request, channel: str) -> bool:
        claim, _, signature = request.headers.get("authorization", "").rpartition(".")
        user, _, _ = claim.partition(".")
        valid = hmac.compare_digest(self.signature(claim), signature)
        return valid and channel.startswith(f"/{self.namespace}/{user}/")

    def channel_for(self, asked: str) -> str:
        """Where the answer is published."""
        return asked

    async def publish_answer(self, request: Request) -> Response:
        body = await request.body()
        messages, channel = self.asked(body), str(json.loads(body)["channel"])
        if not self.own(request, channel):
            return JSONResponse({"error": "not yours"}, 403)
        channel = self.channel_for(channel)
        self.published[channel] = []
        self.channels[channel] = asyncio.create_task(self.publish_all(channel, messages))
        return JSONResponse({"channel": channel}, 202)

    async def missed(self, request: Request) -> Response:
        channel, after = request.query_params["channel"], int(request.query_params["after"])
        if not self.own(request, channel):
            return JSONResponse({"error": "not yours"}, 403)
        return JSONResponse({"events": [json.loads(one) for one in self.published[channel][after:]]})

    async def cancel_channel(self, request: Request) -> Response:
        self.let_go(self.channels.get((await request.json())["channel"]))
        return JSONResponse({})

    async def publish_all(self, channel: str, messages: Messages) -> None:
        """One publish after the other, of what has come meanwhile."""
        told = self.published[channel]
        making = asyncio.create_task(self.collect(told, messages))
        sent = 0
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=30.0) as client:
                while not making.done() or sent < len(told):
                    if batch := self.batch(told[sent:], over=making.done()):
                        await self.publish(client, channel, batch)
                        sent += len(batch)
                    await asyncio.sleep(self.pause())
        finally:
            making.cancel()
            await asyncio.wait({making})

    async def collect(self, told: list[str], messages: Messages) -> None:
        async with contextlib.aclosing(self.reply(messages)) as events:
            async for event in events:
                told.append(json.dumps(self.numbered(len(told) + 1, event)))

    def batch(self, waiting: list[str], *, over: bool) -> list[str]:  # noqa: ARG002 (for mutants)
        return waiting[:MOST]

    def pause(self) -> float:
        return PAUSE

    async def publish(self, client: httpx.AsyncClient, channel: str, events: list[str]) -> None:
        key = {"x-api-key": os.environ["CHAT_APPSYNC_API_KEY"]}
        await client.post(self.endpoint, json={"channel": channel, "events": events}, headers=key)
