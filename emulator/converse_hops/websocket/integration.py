"""What a route leads to: a Lambda function, a function in this process, or a URL that takes events. Each gets
the event and gives what a Lambda function gives.

A URL is called as the runtime interface emulator is: POST of the event as JSON, answered with the result.
"""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from converse_hops.functions.function import Function
from converse_hops.functions.invoke import BUFFERED
from converse_hops.http.client import OriginError, Outgoing
from converse_hops.websocket.events import Event

Here = Callable[[Event], Any]  # plain, run in a thread; or async, run in the hop's loop
Target = Function | Here | str


class IntegrationError(Exception):
    """The integration raised, answered with an error, or could not be reached."""


def integration(target: Target) -> Callable[[Event], Awaitable[Any]]:
    """The target as a coroutine function that raises nothing but `IntegrationError`."""

    async def call(event: Event) -> Any:
        try:
            if isinstance(target, Function):
                return await _post(f"{target.url}{BUFFERED}{target.name}/invocations", event)
            if isinstance(target, str):
                return await _post(target, event)
            if inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(type(target).__call__):
                return await target(event)
            return await asyncio.to_thread(target, event)
        except Exception as error:
            raise IntegrationError(repr(error)) from error

    return call


def status(result: Any) -> int | None:
    """The `statusCode` of a result, if it has one."""
    code = result.get("statusCode") if isinstance(result, dict) else None
    return code if isinstance(code, int) else None


async def _post(url: str, event: Event) -> Any:
    outgoing = await Outgoing.connect(url)
    try:
        body = json.dumps(event).encode()
        parts = urlsplit(url)
        headers = [
            ("Host", parts.netloc),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ]
        await outgoing.request("POST", parts.path or "/", [*headers, ("Connection", "close")])
        await outgoing.send(body)
        await outgoing.end()
        head = await outgoing.response()
        answer = await outgoing.body()
    finally:
        outgoing.close()
    names = {name.lower() for name, _ in head.headers}
    if head.status >= 300 or "x-amz-function-error" in names:
        raise OriginError(f"{url} answered {head.status}: {answer[:500]!r}")
    return json.loads(answer) if answer.strip() else None
