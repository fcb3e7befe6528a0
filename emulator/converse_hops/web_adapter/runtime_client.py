"""The Runtime API as the adapter calls it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from converse_hops.functions.prelude import CONTENT_TYPE
from converse_hops.http.client import Head, OriginError, connected
from converse_hops.http.link import Headers, header

VERSION = "/2018-06-01/runtime"
Send = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Call:
    """An invocation: its event as JSON, and what the headers tell."""

    id: str
    event: bytes
    headers: Headers


class RuntimeClient:
    """`url` is `http://` and the function's `AWS_LAMBDA_RUNTIME_API`. All raise `OriginError`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._host = ("Host", url.removeprefix("http://"))

    async def next(self) -> Call:
        """The next invocation, once there is one."""
        async with connected(self._url) as asking:
            await asking.request("GET", f"{VERSION}/invocation/next", [self._host])
            await asking.end()
            head = await asking.response()
            event = await asking.body()
        _expect(200, head)
        return Call(header(head.headers, "Lambda-Runtime-Aws-Request-Id") or "", event, head.headers)

    async def respond(self, id: str, body: bytes) -> None:
        """A whole response."""
        await self._post(f"invocation/{id}/response", body)

    @asynccontextmanager
    async def stream(self, id: str) -> AsyncIterator[Send]:
        """A response in streaming mode; each piece that is sent is a chunk."""
        headers = [
            self._host,
            ("Content-Type", CONTENT_TYPE),
            ("Lambda-Runtime-Function-Response-Mode", "streaming"),
            ("Transfer-Encoding", "chunked"),
        ]
        async with connected(self._url) as posting:
            await posting.request("POST", f"{VERSION}/invocation/{id}/response", headers)
            yield posting.send
            await posting.end()
            _expect(202, await posting.response())

    async def fail(self, id: str, error_type: str, message: str) -> None:
        """The invocation failed before its response began."""
        await self._post(f"invocation/{id}/error", _error(error_type, message), error_type)

    async def fail_init(self, error_type: str, message: str) -> None:
        """There will be no responses at all."""
        await self._post("init/error", _error(error_type, message), error_type)

    async def _post(self, path: str, body: bytes, error_type: str | None = None) -> None:
        headers = [
            self._host,
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            *([("Lambda-Runtime-Function-Error-Type", error_type)] if error_type else []),
        ]
        async with connected(self._url) as posting:
            await posting.request("POST", f"{VERSION}/{path}", headers)
            await posting.send(body)
            await posting.end()
            _expect(202, await posting.response())


def _expect(status: int, head: Head) -> None:
    if head.status != status:
        raise OriginError(f"the Runtime API answered {head.status} {head.reason}, not {status}")


def _error(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()
