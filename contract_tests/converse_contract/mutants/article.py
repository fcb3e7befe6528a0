"""The article's simplified handler, line by line, with Starlette for a runtime.

Two things are not the article's: the events have the names of its wire-format figure, not of its code, and
the client is made once, for boto3's default session is not made for threads. It catches ClientError around
the loop only, sets no time limits, knows no tools, and waits on when nobody listens.
"""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from converse_contract.mutants.bedrock import make_client


class Article:
    """What one writes first."""

    caught_by: ClassVar[tuple[str, ...]] = (
        "1.2",
        "1.3",
        "3.1",
        "3.19",
        "4.1",
        "5.1",
        "5.3",
        "6.1",
        "6.4",
        "7.1",
        "8.1",
        "8.3",
    )
    alone: ClassVar[bool] = False

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/chat", self.chat, methods=["POST"]), Route("/health", self.health)])

    async def health(self, _request: Request) -> Response:
        return PlainTextResponse("ok")

    async def chat(self, request: Request) -> Response:
        headers = {"Cache-Control": "no-cache", "Connection": "keep-alive"}
        return StreamingResponse(handler(await request.json()), 200, headers, "text/event-stream")


def handler(event: dict[str, Any]) -> Iterator[bytes]:
    bedrock = make_client()
    resp = bedrock.converse_stream(
        modelId="anthropic.claude-3-5-haiku-20241022-v1:0",
        messages=[{"role": one["role"], "content": [{"text": one["content"]}]} for one in event["messages"]],
        system=[{"text": "You are a support assistant."}],
        inferenceConfig={"maxTokens": 800, "temperature": 0.2},
    )

    try:
        for item in resp["stream"]:
            if "contentBlockDelta" in item:
                delta = item["contentBlockDelta"]["delta"]
                if "text" in delta:
                    yield _line({"type": "content_block_delta", "delta": {"text": delta["text"]}})
            elif "messageStop" in item:
                yield _line({"type": "message_stop", "stop_reason": item["messageStop"]["stopReason"]})
        yield b"data: [DONE]\n\n"
    except ClientError as e:
        yield _line({"type": "error", "message": str(e)})


def _line(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()
