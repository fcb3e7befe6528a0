"""How a front invokes its function: over the invoke APIs, as any client does.

One thing is asked for that clients cannot have: the last frame tells a failure, since the fronts know of it.
"""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from converse_emulator.framing.eventstream import Decoder, Message

from converse_hops.functions.invoke import ASK_ERRORS, BUFFERED, CONTENT_TYPE, STREAMING
from converse_hops.http.client import Head, Outgoing, connected
from converse_hops.http.link import header


class InvokeRefused(Exception):
    """The service refused to invoke the function."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Target:
    """A function behind the invoke APIs at a URL."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Whole:
    """What Invoke gave. `failed`: it had `X-Amz-Function-Error`."""

    request_id: str
    content_type: str
    body: bytes
    failed: bool


class Stream:
    """What InvokeWithResponseStream gives. `error_code` is None, or known once all chunks were read."""

    def __init__(self, head: Head, outgoing: Outgoing) -> None:
        self.request_id = header(head.headers, "x-amzn-RequestId") or ""
        self.content_type = header(head.headers, CONTENT_TYPE) or "application/octet-stream"
        self.error_code: str | None = None
        self._outgoing = outgoing

    async def chunks(self) -> AsyncIterator[bytes]:
        """The function's response as it is streamed. Raises `OriginError` and `FrameError`."""
        decoder = Decoder()
        async for data in self._outgoing.chunks():
            for message in decoder.messages(data):
                if message.header(":event-type") == "PayloadChunk":
                    yield message.payload
                else:
                    self.error_code = _error_code(message)


def _error_code(complete: Message) -> str | None:
    told = json.loads(complete.payload or b"{}")
    found = told.get("ErrorCode")
    return str(found) if found else None


@asynccontextmanager
async def invoke_stream(target: Target, event: object, trace: str) -> AsyncIterator[Stream]:
    """InvokeWithResponseStream; raises `InvokeRefused` and `OriginError`."""
    path = f"{STREAMING}{quote(target.name, safe='')}/response-streaming-invocations"
    async with _posted(target, path, event, trace) as (head, outgoing):
        yield Stream(head, outgoing)


async def invoke(target: Target, event: object, trace: str) -> Whole:
    """Invoke; raises `InvokeRefused` and `OriginError`."""
    path = f"{BUFFERED}{quote(target.name, safe='')}/invocations"
    async with _posted(target, path, event, trace) as (head, outgoing):
        return Whole(
            header(head.headers, "x-amzn-RequestId") or "",
            header(head.headers, "Content-Type") or "application/json",
            await outgoing.body(),
            header(head.headers, "X-Amz-Function-Error") is not None,
        )


@asynccontextmanager
async def _posted(
    target: Target, path: str, event: object, trace: str
) -> AsyncIterator[tuple[Head, Outgoing]]:
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    parts = urlsplit(target.url)
    headers = [
        ("Host", parts.netloc),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("X-Amzn-Trace-Id", trace),
        (ASK_ERRORS, "yes"),
    ]
    async with connected(target.url) as outgoing:
        await outgoing.request("POST", parts.path.rstrip("/") + path, headers)
        await outgoing.send(body)
        await outgoing.end()
        head = await outgoing.response()
        if head.status != 200:
            raise InvokeRefused(head.status, (await outgoing.body()).decode(errors="replace"))
        yield head, outgoing


def body_members(body: bytes, content_type: str | None) -> dict[str, object]:
    """The members of an event that have the request's body: as text if it is that, else in base64."""
    if not body:
        return {"isBase64Encoded": False}
    kind = (content_type or "").split(";")[0].strip().lower()
    texts = ("application/json", "application/xml", "application/javascript")
    if kind.startswith("text/") or kind in texts or kind.endswith(("+json", "+xml")):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": b64encode(body).decode(), "isBase64Encoded": True}
