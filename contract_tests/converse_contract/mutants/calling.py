"""Calls of Bedrock: within the time limits, retried while nothing has come, and let go of in the end."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator
from typing import Any

from botocore.eventstream import ParserError
from botocore.exceptions import ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from converse_contract.mutants.bedrock import Call, Event, make_client
from converse_contract.mutants.tooling import tool_config
from converse_contract.mutants.words import CODES, Broken, Messages, Settings


class Calling:
    """The part of a handler that faces Bedrock."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_environment()
        self.bedrock = make_client()

    def request(self, messages: Messages) -> dict[str, Any]:
        return {
            "modelId": os.environ.get("CHAT_MODEL_ID", "anthropic.claude-3-5-haiku-20241022-v1:0"),
            "messages": messages,
            "inferenceConfig": {"maxTokens": 800},
            "toolConfig": tool_config(),
        }

    async def attempts(self, messages: Messages, deadline: float, *, first: bool) -> AsyncGenerator[Event]:
        """One call; the `first` of an answer is tried again as long as nothing of it has come."""
        for attempt in range(1, self.settings.attempts + 1):
            came = False
            try:
                async with contextlib.aclosing(self.stream(messages, deadline)) as events:
                    async for event in events:
                        came = True
                        yield event
                return
            except Exception as error:
                if came or not first or not self.worth_retrying(error, attempt):
                    raise
            await asyncio.sleep(self.settings.backoff * attempt)

    def worth_retrying(self, error: Exception, attempt: int) -> bool:
        return (
            attempt < self.settings.attempts
            and not isinstance(error, Broken)
            and self.explain(error).retryable
        )

    async def stream(self, messages: Messages, deadline: float) -> AsyncGenerator[Event]:
        """The events of one call, none of them waited for longer than the limits say."""
        call = self.call(messages)
        limit, code = self.first_limit()
        try:
            while (event := await self.within(limit, code, deadline, call)) is not None:
                yield event
                limit, code = self.next_limit()
        finally:
            self.release(call)

    def call(self, messages: Messages) -> Call:
        return Call(self.bedrock, self.request(messages))

    def first_limit(self) -> tuple[float | None, str]:
        return self.settings.first_byte_timeout, "first_byte_timeout"

    def next_limit(self) -> tuple[float | None, str]:
        return self.settings.between_bytes_timeout, "between_bytes_timeout"

    def deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.settings.total_timeout

    async def within(self, limit: float | None, code: str, deadline: float, call: Call) -> Event | None:
        left = deadline - asyncio.get_running_loop().time()
        if limit is None or left < limit:
            limit, code = left, "total_timeout"
        try:
            return await asyncio.wait_for(call.get(), limit)
        except TimeoutError:
            raise Broken(code, True) from None

    def release(self, call: Call) -> None:
        call.close()

    def explain(self, error: Exception) -> Broken:
        """What the browser may know of an error."""
        match error:
            case Broken():
                return error
            case ClientError():
                return Broken(*CODES.get(error.response["Error"]["Code"].lower(), ("internal", True)))
            case ParserError():
                return Broken("stream_corrupted", True)
            case HTTPError() | HTTPClientError() | OSError():
                return Broken("stream_interrupted", True)
            case _:
                return Broken("internal", False)
