"""The right handler as a Lambda function that streams: invocations, one by one, from the Runtime API."""

import base64
import json
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from converse_contract.mutants.paths.service import Walker
from converse_contract.mutants.words import Messages

RUNTIME = "/2018-06-01/runtime/invocation"
STREAMS = {
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Content-Type": "application/vnd.awslambda.http-integration-response",
}
NULS = bytes(8)


class FunctionWalker(Walker):
    """One whose mutants are functions."""

    def head(self, status: int, headers: Mapping[str, str]) -> bytes:
        """What comes before the body."""
        return json.dumps({"statusCode": status, "headers": dict(headers)}).encode() + NULS

    def response_headers(self) -> Mapping[str, str]:
        """How the response is posted."""
        return STREAMS

    async def serve(self) -> None:
        """For ever."""
        api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}{RUNTIME}"
        async with httpx.AsyncClient(trust_env=False, timeout=None) as client:
            while True:
                invocation = await client.get(f"{api}/next")
                where = f"{api}/{invocation.headers['Lambda-Runtime-Aws-Request-Id']}"
                await self.respond(client, where, invocation.json())

    async def respond(self, client: httpx.AsyncClient, where: str, event: Mapping[str, Any]) -> None:
        answer = self.answered(event)
        await client.post(f"{where}/response", content=answer, headers=self.response_headers())

    async def answered(self, event: Mapping[str, Any]) -> AsyncIterator[bytes]:
        """Head and body."""
        method = event.get("httpMethod") or event["requestContext"]["http"]["method"]
        if method != "POST":
            yield self.head(405, {"content-type": "application/json"}) + b'{"error": "ask with POST"}'
            return
        try:
            messages = self.asked(body_of(event))
        except ValueError as error:
            yield self.head(400, {"content-type": "application/json"})
            yield json.dumps({"error": str(error)}).encode()
            return
        yield self.head(200, self.headers())
        async for piece in self.posted(messages):
            yield piece

    async def posted(self, messages: Messages) -> AsyncIterator[bytes]:
        """The body."""
        async for piece in self.body(messages):
            yield piece


def body_of(event: Mapping[str, Any]) -> bytes:
    """The request's body."""
    body = str(event.get("body") or "").encode()
    return base64.b64decode(body) if event.get("isBase64Encoded") else body
