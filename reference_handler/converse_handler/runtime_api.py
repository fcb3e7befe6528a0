"""The Lambda Runtime API, as a runtime calls it: take an invocation, stream the answer, or report failure.

A streamed response is one chunked POST: a prelude of JSON with status and headers, eight NUL bytes, then the
body, each piece as it comes. What fails after the first byte is told in trailers, which `http.client` cannot
write; so this one request is written by hand.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

VERSION = "/2018-06-01/runtime"
SEPARATOR = bytes(8)  # between prelude and body


class RuntimeApiError(Exception):
    """Lambda did not take it, or gave none."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call of the function. `deadline`, in seconds of `time.time()`: Lambda ends it then."""

    id: str
    event: Any
    deadline: float
    trace_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What is told of a failure. A function URL may show all of it to the browser: no stack trace!"""

    type: str  # Lambda knows `Function.Name` and `Runtime.Name`
    message: str

    @property
    def body(self) -> bytes:
        said = {"errorType": self.type, "errorMessage": self.message, "stackTrace": []}
        return json.dumps(said).encode()


class RuntimeApi:
    """`address` is `AWS_LAMBDA_RUNTIME_API` of the environment: `HOST:PORT`."""

    def __init__(self, address: str) -> None:
        self._address = address

    def next(self) -> Invocation:
        """The next invocation; waits for it, for hours if need be (Lambda freezes the process meanwhile)."""
        response, event = self._call("GET", "/invocation/next", expected=200)
        return Invocation(
            id=response.headers["Lambda-Runtime-Aws-Request-Id"],
            event=json.loads(event),
            deadline=int(response.headers["Lambda-Runtime-Deadline-Ms"]) / 1000,
            trace_id=response.headers.get("Lambda-Runtime-Trace-Id", ""),
        )

    def fail(self, id: str, failure: Failure) -> None:
        """The invocation failed before any byte of a response."""
        self._report(f"/invocation/{id}/error", failure)

    def fail_init(self, failure: Failure) -> None:
        """The function cannot begin; the process has to end now."""
        self._report("/init/error", failure)

    async def respond(self, id: str, prelude: Mapping[str, Any]) -> "StreamedResponse":
        """Begin the invocation's response; the prelude is sent at once."""
        head = (
            f"POST {VERSION}/invocation/{id}/response HTTP/1.1",
            f"Host: {self._address}",
            "Content-Type: application/vnd.awslambda.http-integration-response",
            "Lambda-Runtime-Function-Response-Mode: streaming",
            "Transfer-Encoding: chunked",
            "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
            "Connection: close",
        )
        host, _, port = self._address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write("\r\n".join([*head, "", ""]).encode())
        writer.write(_chunk(json.dumps(prelude).encode() + SEPARATOR))
        return StreamedResponse(reader, writer)

    def _report(self, path: str, failure: Failure) -> None:
        headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": failure.type}
        self._call("POST", path, failure.body, headers, expected=202)

    def _call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        expected: int,
    ) -> tuple[HTTPResponse, bytes]:
        try:
            with closing(HTTPConnection(self._address)) as connection:
                connection.request(method, VERSION + path, body or None, dict(headers or {}))
                response = connection.getresponse()
                content = response.read()
        except (OSError, HTTPException) as error:
            raise RuntimeApiError(f"{method} {path}: {error!r}") from error
        if response.status != expected:
            raise RuntimeApiError(f"{method} {path}: {response.status} {content[:500]!r}")
        return response, content


class StreamedResponse:
    """A response that is under way. `end` or `close` it; what cannot be written raises `OSError`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def write(self, data: bytes) -> None:
        """Send a piece of the body, at once."""
        self._writer.write(_chunk(data))
        await self._writer.drain()

    async def end(self, failure: Failure | None = None) -> None:
        """That was all of it, or it broke off here. Raises `RuntimeApiError` if Lambda does not take it."""
        trailers = b"" if failure is None else _trailers(failure)
        with closing(self):
            self._writer.write(b"0\r\n%b\r\n" % trailers)
            await self._writer.drain()
            status = await self._reader.readline()
        if status.split()[1:2] != [b"202"]:
            raise RuntimeApiError(f"the response was not taken: {status!r}")

    def close(self) -> None:
        """Let go of the connection."""
        self._writer.close()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""  # an empty one would be the end


def _trailers(failure: Failure) -> bytes:
    body = base64.b64encode(failure.body)
    return (
        b"Lambda-Runtime-Function-Error-Type: %b\r\n" % failure.type.encode()
        + b"Lambda-Runtime-Function-Error-Body: %b\r\n" % body
    )
