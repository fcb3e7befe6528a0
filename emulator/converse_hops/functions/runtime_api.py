"""The Runtime API: where a function's runtime asks for work and posts what comes of it.

    GET  /2018-06-01/runtime/invocation/next             waits for an invocation
    POST /2018-06-01/runtime/invocation/{id}/response    whole, or streamed, with trailers for an error
    POST /2018-06-01/runtime/invocation/{id}/error
    POST /2018-06-01/runtime/init/error

Source: Lambda's runtime interface emulator, and what the runtime clients for Node.js and Python send.
"""

import asyncio
import json
from base64 import b64decode
from collections.abc import Coroutine
from typing import Any, Protocol

from converse_hops.functions.invocation import Failure, Invocation, known_error_type
from converse_hops.http.link import Headers, PeerLeft, header
from converse_hops.http.server import BodyTooLarge, BodyTruncated, Incoming

PREFIX = "/2018-06-01/runtime/"
MOST_BUFFERED = 6_291_556  # bytes of a response that is not streamed, and of a request: 6 MiB and 100 bytes
MODE, ERROR_TYPE, ERROR_BODY = (
    f"Lambda-Runtime-Function-{name}" for name in ("Response-Mode", "Error-Type", "Error-Body")
)


class Runtime(Protocol):
    """Who stands behind one Runtime API: it gives work and hears what becomes of it."""

    def take(self) -> Coroutine[Any, Any, Invocation]:
        """The next invocation, once there is one."""

    async def put_back(self, invocation: Invocation) -> None:
        """The runtime died before it had it."""

    def taken(self, invocation: Invocation) -> int:
        """A runtime has it; until when it may run, in epoch milliseconds."""

    def find(self, invocation_id: str) -> Invocation | None:
        """A known invocation that is with this runtime, or was last."""

    async def init_failed(self, failure: Failure) -> None:
        """The function could not be initialised."""


async def answer(incoming: Incoming, runtime: Runtime) -> None:
    """Answer one request of a function's runtime."""
    path = incoming.target.removeprefix(PREFIX)
    match incoming.method, path.split("/"):
        case "GET", ["invocation", "next"]:
            await _next(incoming, runtime)
        case "POST", ["init", "error"]:
            failure = _failure(header(incoming.headers, ERROR_TYPE), await incoming.body(MOST_BUFFERED))
            await _accept(incoming)
            await runtime.init_failed(failure)
        case "POST", ["invocation", invocation_id, "response" | "error" as what]:
            await _post(incoming, runtime.find(invocation_id), what)
        case _:
            await incoming.answer(404, [("Content-Type", "text/plain")], b"404 page not found\n")


async def _next(incoming: Incoming, runtime: Runtime) -> None:
    taking = asyncio.create_task(runtime.take())
    waiting: set[asyncio.Future[Any]] = {taking, incoming.left}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        if not taking.cancel():  # it had one already
            await runtime.put_back(taking.result())
        raise
    if not taking.done():  # the poller is dead, and must not swallow the next invocation
        taking.cancel()
        return
    invocation = taking.result()
    if incoming.left.done():
        await runtime.put_back(invocation)
        return
    deadline = runtime.taken(invocation)
    told = (
        ("Content-Type", "application/json"),
        ("Lambda-Runtime-Aws-Request-Id", invocation.id),
        ("Lambda-Runtime-Client-Context", invocation.client_context),
        ("Lambda-Runtime-Deadline-Ms", str(deadline)),
        ("Lambda-Runtime-Invoked-Function-Arn", invocation.arn),
        ("Lambda-Runtime-Trace-Id", invocation.trace_id),
    )
    try:
        await incoming.answer(200, [row for row in told if row[1]], invocation.event)
    except PeerLeft:
        await runtime.put_back(invocation)


async def _post(incoming: Incoming, invocation: Invocation | None, what: str) -> None:
    if invocation is None:
        await _refuse(incoming, 400, "InvalidRequestID", "Invalid request ID")
    elif invocation.state != "running":
        message = (
            f"State transition from {invocation.state.title()} to Invocation{what.title()} failed for "
            "runtime. Error: State transition is not allowed"
        )
        await _refuse(incoming, 403, "InvalidStateTransition", message)
    elif what == "error":
        await _error(incoming, invocation)
    else:
        mode = header(incoming.headers, MODE)
        if mode is None:
            await _whole(incoming, invocation)
        elif mode == "streaming":
            await _stream(incoming, invocation)
        else:
            await _refuse(incoming, 400, "InvalidFunctionResponseMode", "Invalid function response mode")
            error = Failure.of("Runtime.InvalidResponseModeHeader", "Invalid function response mode")
            await invocation.fail(error)


async def _error(incoming: Incoming, invocation: Invocation) -> None:
    """The handler failed before its response began."""
    failure = _failure(header(incoming.headers, ERROR_TYPE), await incoming.body(MOST_BUFFERED))
    await invocation.fail(failure)
    await _accept(incoming)


async def _whole(incoming: Incoming, invocation: Invocation) -> None:
    """A response that is not streamed."""
    try:
        body = await incoming.body(MOST_BUFFERED)
    except BodyTooLarge:
        limit = f"maximum allowed payload size ({MOST_BUFFERED} bytes)."
        await _refuse(incoming, 413, "RequestEntityTooLarge", f"Exceeded {limit}")
        too_large = f"Response payload size exceeded {limit}"
        await invocation.fail(Failure.of("Function.ResponseSizeTooLarge", too_large))
        return
    except BodyTruncated:
        await _truncated(incoming, invocation)
        return
    await invocation.start(header(incoming.headers, "Content-Type") or "application/json", streaming=False)
    await invocation.post(body)
    await invocation.end()
    await _accept(incoming)


async def _stream(incoming: Incoming, invocation: Invocation) -> None:
    await invocation.start(
        header(incoming.headers, "Content-Type") or "application/octet-stream", streaming=True
    )
    try:
        async for chunk in incoming.chunks():
            await invocation.post(chunk)
    except BodyTruncated:
        await _truncated(incoming, invocation)
        return
    await invocation.end(_in_trailers(incoming.trailers))
    await _accept(incoming)


def _in_trailers(trailers: Headers) -> Failure | None:
    """What a handler that failed in the middle of its response says."""
    error_type = header(trailers, ERROR_TYPE)
    if error_type is None:
        return None
    try:
        body = b64decode(header(trailers, ERROR_BODY) or "", validate=True)
    except ValueError:
        body = b""
    return Failure(error_type, body)


async def _truncated(incoming: Incoming, invocation: Invocation) -> None:
    message = "HTTP request detected as truncated"
    await invocation.end(Failure.of("Runtime.TruncatedResponse", message))
    await _refuse(incoming, 400, "TruncatedHTTPRequest", message)


def _failure(error_type: str | None, body: bytes) -> Failure:
    return Failure(known_error_type(error_type or _type_in(body)), body)


def _type_in(body: bytes) -> str | None:
    """The Python runtime client says its error's type in the body only."""
    try:
        told = json.loads(body)
    except ValueError:
        return None
    found = told.get("errorType") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None


async def _accept(incoming: Incoming) -> None:
    await incoming.answer(202, [("Content-Type", "application/json")], b'{"status":"OK"}\n')


async def _refuse(incoming: Incoming, status: int, error_type: str, message: str) -> None:
    body = json.dumps({"errorMessage": message, "errorType": error_type}, separators=(",", ":")) + "\n"
    await incoming.answer(status, [("Content-Type", "application/json")], body.encode())
