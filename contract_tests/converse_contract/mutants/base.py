"""A streaming chat handler, right and small, made to be spoiled: every mutant overrides one hook of it.

It shares no line with any real handler, so that no mistake of one can hide in the other. Three layers, each
an async generator: `stream` (events of one call of Bedrock, within the time limits), `reply` (events for the
browser, over retries and tool rounds), `body` (bytes).
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import ClassVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from converse_contract.mutants.calling import Calling
from converse_contract.mutants.tooling import Tooling
from converse_contract.mutants.turn import Turn
from converse_contract.mutants.words import COMPLETE, TRUNCATED, Broken, Messages, Out


class Handler(Calling, Tooling):
    """`POST /chat` in the reference dialect.

    `caught_by` names the cases that a mutant must fail. One that is `alone` shares no process with others.
    """

    caught_by: ClassVar[tuple[str, ...]] = ()
    alone: ClassVar[bool] = False

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/chat", self.chat, methods=["POST"]), Route("/health", self.health)])

    async def health(self, _request: Request) -> Response:
        return PlainTextResponse("ok")

    async def chat(self, request: Request) -> Response:
        asked = (await request.json())["messages"]
        messages = [{"role": one["role"], "content": [{"text": one["content"]}]} for one in asked]
        return StreamingResponse(self.body(messages), headers=self.headers())

    # ------------------------------------------------------------------------------------------- bytes

    def headers(self) -> dict[str, str]:
        return {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-cache, no-transform",
            "x-accel-buffering": "no",
        }

    async def body(self, messages: Messages) -> AsyncIterator[bytes]:
        numbers = itertools.count(1)
        yield self.opening()
        async with contextlib.aclosing(self.beating(self.reply(messages))) as events:
            async for event in events:
                yield b": ping\n\n" if event is None else self.frame(next(numbers), event)
        yield self.closing()

    def opening(self) -> bytes:
        return b"retry: 3000\n\n"

    def frame(self, number: int, event: Out) -> bytes:
        return f"id: {number}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()

    def closing(self) -> bytes:
        return b"data: [DONE]\n\n"

    async def beating(self, events: AsyncGenerator[Out]) -> AsyncGenerator[Out | None]:
        """The same events, and None whenever none came for a while."""
        upcoming: asyncio.Task[Out] | None = None
        try:
            while True:
                upcoming = upcoming or asyncio.ensure_future(anext(events))
                done, _ = await asyncio.wait({upcoming}, timeout=self.settings.heartbeat)
                if not done:
                    yield None
                    continue
                if isinstance(upcoming.exception(), StopAsyncIteration):
                    return
                event, upcoming = upcoming.result(), None
                yield event
        finally:
            if upcoming is not None:
                upcoming.cancel()
            else:
                await events.aclose()

    # ------------------------------------------------------------------------------------------ events

    async def reply(self, messages: Messages) -> AsyncGenerator[Out]:
        """The whole answer: exactly one terminal event, whatever happens."""
        turns: list[Turn] = []
        shown = False
        try:
            async with contextlib.aclosing(self.rounds(messages, turns)) as events:
                async for event in events:
                    shown = shown or event["type"] == "content_block_delta"
                    yield event
        except Exception as error:
            for event in turns[-1].close() if turns else ():
                yield event
            yield self.failure(self.explain(error), shown)

    async def rounds(self, messages: Messages, turns: list[Turn]) -> AsyncGenerator[Out]:
        """Ask, run the tools that are asked for, ask again."""
        deadline = self.deadline()
        yield {"type": "message_start", "id": "msg_1"}
        for number in itertools.count(1):
            turns.append(turn := self.turn(turns[-1].index if turns else 0))
            stream = self.attempts(messages, deadline, first=number == 1)
            async with contextlib.aclosing(stream) as events:
                async for event in events:
                    for out in turn.take(event):
                        yield out
            if not self.goes_on(turn, number):
                yield self.finish(turn, turns)
                return
            results = []
            for block in turn.tools:
                yield self.tool_start(block)
                ok, result = await self.tool(block)
                results.append(result)
                yield self.tool_end(block, ok)
            messages = [*messages, self.said(turn), {"role": "user", "content": results}]

    def turn(self, index: int) -> Turn:
        return Turn(index)

    def goes_on(self, turn: Turn, number: int) -> bool:
        """The stream is over. Whether tools are to be run now; raises where the message is not whole."""
        if turn.stop_reason is None:
            raise Broken("stream_interrupted", True)
        if turn.stop_reason.startswith("malformed"):
            raise Broken("malformed_output", True)
        if turn.stop_reason == "tool_use":
            return self.tools_wanted(turn, number)
        if turn.stop_reason not in COMPLETE | TRUNCATED:
            raise Broken("model_error", False)
        return False

    def tools_wanted(self, turn: Turn, number: int) -> bool:
        if not turn.tools:
            raise Broken("malformed_output", True)
        if number > self.settings.tool_rounds:
            raise Broken("tool_rounds_exceeded", False)
        return True

    def finish(self, turn: Turn, turns: list[Turn]) -> Out:
        usages = [each.usage for each in turns if each.usage is not None]
        usage = {
            "input_tokens": sum(each["inputTokens"] for each in usages),
            "output_tokens": sum(each["outputTokens"] for each in usages),
        }
        return {
            "type": "message_stop",
            "stop_reason": turn.stop_reason,
            "truncated": turn.stop_reason in TRUNCATED,
            "usage": usage if usages else None,
        }

    def failure(self, broken: Broken, shown: bool) -> Out:
        return {
            "type": "error",
            "code": broken.code,
            "message": broken.message,
            "retryable": broken.retryable,
            "partial": shown,
        }
