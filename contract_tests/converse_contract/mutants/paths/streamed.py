"""Mutants that spoil what a response streams, as services or as functions."""
# ruff: noqa: ARG002  # an overridden hook has the arguments of its original

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, ClassVar

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from converse_contract.mutants.delivery import Illusion
from converse_contract.mutants.paths.function import FunctionWalker, body_of
from converse_contract.mutants.paths.service import Kept, Walker
from converse_contract.mutants.turn import Turn
from converse_contract.mutants.words import Messages, Out

PUSHED_AND_STREAMED = ("function-url", "load-balancer", "websocket", "appsync")


class PretendsToType(Illusion, FunctionWalker):
    """Calls the blocking Converse and types its answer out, over every path: the article's option 5."""

    caught: ClassVar = dict.fromkeys(PUSHED_AND_STREAMED, ("10.1", "10.2", "10.3"))


class CollectsAndPosts(FunctionWalker):
    """A runtime that streams what it has, which is all of it: the managed Python runtime, one step on."""

    caught: ClassVar = {"function-url": ("10.1", "10.3"), "rest-api": ("10.1",)}

    async def posted(self, messages: Messages) -> AsyncIterator[bytes]:
        yield b"".join([piece async for piece in self.body(messages)])


class KeepsABufferedUrl(FunctionWalker):
    """A function that streams, behind a URL or an API that nobody has told so."""

    forget: ClassVar = True
    caught: ClassVar = {"function-url": ("10.1", "10.7", "10.9"), "rest-api": ("10.1", "10.9")}


class BehindAnHttpApi(FunctionWalker):
    """The article's configuration: an HTTP API with payload format 2.0, which never streams."""

    caught: ClassVar = {"http-api": ("10.1", "10.3")}


class KeepsTheDefaults(Walker):
    """A service that streams, behind an adapter or a proxy as they come."""

    forget: ClassVar = True
    caught: ClassVar = {"web-adapter": ("10.1", "10.7", "10.9"), "proxy": ("10.1", "10.3")}


class NoMetadata(FunctionWalker):
    """Writes its events and nothing before them: the browser gets application/octet-stream, or a 500."""

    caught: ClassVar = {"function-url": ("10.7",), "rest-api": ("10.7", "10.9")}

    def head(self, status: int, headers: Mapping[str, str]) -> bytes:
        return b""

    def response_headers(self) -> Mapping[str, str]:
        return {"Lambda-Runtime-Function-Response-Mode": "streaming"}


class AnswersInOnePiece(FunctionWalker):
    """A handler that returns `{"statusCode", "headers", "body"}`, as all did before there were streams."""

    caught: ClassVar = {"function-url": ("10.7", "10.9"), "rest-api": ("10.7", "10.9")}

    async def respond(self, client: httpx.AsyncClient, where: str, event: Mapping[str, Any]) -> None:
        body = b"".join([piece async for piece in self.body(self.asked(body_of(event)))])
        answer = {"statusCode": 200, "headers": self.headers(), "body": body.decode()}
        await client.post(f"{where}/response", content=json.dumps(answer).encode())


class ThrowsWhatItIsGiven(FunctionWalker):
    """`json.loads(event["body"])["messages"][0]`, and no thought of what is not there."""

    caught: ClassVar = {"function-url": ("10.10",)}

    async def respond(self, client: httpx.AsyncClient, where: str, event: Mapping[str, Any]) -> None:
        try:
            self.asked(body_of(event))
        except ValueError as error:
            trace = ["Traceback (most recent call last):", '  File "/var/task/app.py", line 7, in handler']
            told = {"errorType": "TypeError", "errorMessage": str(error), "stackTrace": trace}
            await client.post(f"{where}/error", json=told)
        else:
            await super().respond(client, where, event)


class DiesOfIt(FunctionWalker):
    """No `try` around the loop: what breaks ends the function, and the response with it."""

    caught: ClassVar = {"function-url": ("10.11", "10.12")}

    async def posted(self, messages: Messages) -> AsyncIterator[bytes]:
        async for piece in self.body(messages):
            if b'"type": "error"' in piece:
                return
            yield piece


class SaysNoEnd(FunctionWalker):
    """An answer is over when the response is, so why say it."""

    caught: ClassVar = {"function-url": ("10.6",)}

    async def posted(self, messages: Messages) -> AsyncIterator[bytes]:
        async for piece in self.body(messages):
            if b'"type": "message_stop"' not in piece:
                yield piece


class CutIsAnEnd(FunctionWalker):
    """Reports every stop as a whole answer."""

    caught: ClassVar = {"function-url": ("10.13",), "appsync": ("10.13",)}

    def finish(self, turn: Turn, turns: list[Turn]) -> Out:
        return {**super().finish(turn, turns), "truncated": False}


class DecodesEachPiece(Walker):
    """Writes text in pieces of so many bytes, each decoded by itself."""

    caught: ClassVar = {"load-balancer": ("10.4",)}

    async def body(self, messages: Messages) -> AsyncIterator[bytes]:
        async for piece in super().body(messages):
            for start in range(0, len(piece), 1000):
                yield piece[start : start + 1000].decode("utf-8", "replace").encode()


class SetsNoHeaders(Walker):
    """A content type, and nothing for those on the way."""

    caught: ClassVar = {"load-balancer": ("10.8",), "proxy": ("10.1", "10.8")}

    def headers(self) -> dict[str, str]:
        return {"content-type": "text/event-stream"}


class NeverBeats(FunctionWalker):
    """No heartbeat: what is silent is cut."""

    caught: ClassVar = {"load-balancer": ("10.14", "10.15"), "rest-api": ("10.14",), "websocket": ("10.14",)}

    async def beating(self, events: AsyncGenerator[Out]) -> AsyncGenerator[Out | None]:
        async with contextlib.aclosing(events):
            async for event in events:
                yield event


class WaitsWithTheHead(Walker):
    """Wants to know whether Bedrock answers before it says 200."""

    caught: ClassVar = {"load-balancer": ("10.15",)}

    async def chat(self, request: Request) -> Response:
        kept = Kept(self.asked(await request.body()))
        pieces = self.kept_body(kept)
        first = b""
        while b"content_block" not in first:
            first += await anext(pieces)

        async def rest() -> AsyncIterator[bytes]:
            yield first
            async for piece in pieces:
                yield piece

        return StreamingResponse(rest(), headers=self.headers())


class NeverLooksAtTheClock(FunctionWalker):
    """Goes on for as long as the model does: somebody else ends it."""

    caught: ClassVar = {"function-url": ("10.16",), "websocket": ("10.16",)}

    def deadline(self) -> float:
        return asyncio.get_running_loop().time() + 3600


class AsksWithoutALimit(FunctionWalker):
    """No maxTokens: an answer that nobody reads is as long as the model likes."""

    caught: ClassVar = {"function-url": ("10.19",), "appsync": ("10.19",)}

    def request(self, messages: Messages) -> dict[str, Any]:
        asked = super().request(messages)
        del asked["inferenceConfig"]
        return asked


class GoesOnAlone(Walker):
    """Makes the answer in a task of its own, which nobody ends."""

    caught: ClassVar = {"load-balancer": ("10.17",)}

    async def body(self, messages: Messages) -> AsyncIterator[bytes]:
        pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def make() -> None:
            async for piece in super(GoesOnAlone, self).body(messages):
                await pieces.put(piece)
            await pieces.put(None)

        self.making = asyncio.create_task(make())
        while (piece := await pieces.get()) is not None:
            yield piece


MUTANTS: tuple[type[Walker], ...] = (
    PretendsToType,
    CollectsAndPosts,
    KeepsABufferedUrl,
    BehindAnHttpApi,
    KeepsTheDefaults,
    NoMetadata,
    AnswersInOnePiece,
    ThrowsWhatItIsGiven,
    DiesOfIt,
    SaysNoEnd,
    CutIsAnEnd,
    DecodesEachPiece,
    SetsNoHeaders,
    NeverBeats,
    WaitsWithTheHead,
    NeverLooksAtTheClock,
    AsksWithoutALimit,
    GoesOnAlone,
)
