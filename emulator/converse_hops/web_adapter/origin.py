"""A web application behind a URL, as the adapter itself has it: on a port of the same machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from converse_hops.http.client import OriginError, Outgoing, connected
from converse_hops.web_adapter.messages import ApplicationError, WebRequest, WebResponse

CONNECTION = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})


class UrlApplication:
    """Any HTTP server, `http://HOST:PORT`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def start(self) -> None:
        """It runs, or will."""

    async def stop(self) -> None:
        """It runs on."""

    @asynccontextmanager
    async def answer(self, request: WebRequest) -> AsyncIterator[WebResponse]:
        try:
            async with connected(self._url) as outgoing:
                kept = [row for row in request.headers if row[0].lower() not in CONNECTION]
                length = ("content-length", str(len(request.body)))
                await outgoing.request(request.method, request.target, [*kept, length])
                await outgoing.send(request.body)
                await outgoing.end()
                head = await outgoing.response()
                headers = tuple(row for row in head.headers if row[0].lower() != "transfer-encoding")
                yield WebResponse(head.status, headers, _chunks(outgoing))
        except OriginError as error:
            raise ApplicationError(str(error)) from error


async def _chunks(outgoing: Outgoing) -> AsyncIterator[bytes]:
    try:
        async for chunk in outgoing.chunks():
            yield chunk
    except OriginError as error:
        raise ApplicationError(str(error)) from error
