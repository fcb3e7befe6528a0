"""The right handler over every path, small, to be spoiled: SSE, a WebSocket API, AppSync Events.

What Bedrock is asked, and what a browser is told, is `base.Handler`'s; here is how it gets there.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from converse_contract.mutants.base import Handler
from converse_contract.mutants.paths.events import Events
from converse_contract.mutants.paths.socket import Socket
from converse_contract.mutants.words import Messages

NUMBER = re.compile(rb"id: (\d+)\n")


@dataclass(slots=True)
class Kept:
    """An answer that can be read on: its events so far, by number."""

    messages: Messages
    id: str = field(default_factory=lambda: f"msg_{uuid4().hex}")
    pieces: dict[int, bytes] = field(default_factory=dict)


class Walker(Handler, Socket, Events):
    """`caught` has, for each path that it is to be run over, the cases that a mutant must fail.

    `forget`: the path's switch is left as it comes.
    """

    caught: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    forget: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Kept] = {}
        self.last_asked: Messages = []
        self.begin_pushing()
        self.begin_publishing()

    def app(self) -> Starlette:
        routes = [
            Route("/chat", self.chat, methods=["POST"]),
            Route("/chat", self.come_back, methods=["GET"]),
            Route("/chat/{answer}", self.resume, methods=["GET"]),
            Route("/health", self.health),
            Route("/websocket", self.take_event, methods=["POST"]),
            Route("/appsync", self.session),
            Route("/appsync/chat", self.publish_answer, methods=["POST"]),
            Route("/appsync/missed", self.missed),
            Route("/appsync/cancel", self.cancel_channel, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={ValueError: self.refuse})

    async def refuse(self, _request: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, 400)

    def asked(self, body: bytes) -> Messages:
        """The conversation in a request; raises `ValueError`."""
        messages = json.loads(body).get("messages")
        if not isinstance(messages, list) or not messages:
            raise ValueError("messages must be a list of at least one")
        return [{"role": one["role"], "content": [{"text": one["content"]}]} for one in messages]

    async def chat(self, request: Request) -> Response:
        kept = Kept(self.asked(await request.body()))
        self.kept[kept.id] = kept
        self.last_asked = kept.messages
        headers = {**self.headers(), "content-location": f"chat/{kept.id}"}
        return StreamingResponse(self.kept_body(kept), headers=headers)

    async def kept_body(self, kept: Kept) -> AsyncIterator[bytes]:
        async for piece in self.body(kept.messages):
            if number := NUMBER.match(piece):
                kept.pieces[int(number[1])] = piece
            yield piece

    async def come_back(self, _request: Request) -> Response:
        return JSONResponse({"error": "ask with POST"}, 405)

    async def resume(self, request: Request) -> Response:
        kept = self.kept.get(request.path_params["answer"])
        if kept is None:
            return JSONResponse({"error": "not kept"}, 404)
        last = int(request.headers.get("last-event-id", "0"))
        return self.rest(kept, last)

    def rest(self, kept: Kept, last: int) -> Response:
        missing = [piece for number, piece in kept.pieces.items() if number > last]
        if not missing:
            return Response(status_code=204)
        return Response(b"".join([*missing, self.closing()]), headers=self.headers())

    def let_go(self, task: "asyncio.Task[None] | None") -> None:
        """Nobody wants this answer any more."""
        if task is not None:
            task.cancel()
