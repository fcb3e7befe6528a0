"""A Lambda function: the service that runs it, invoked by clients and by the hops in front of it.

    with Function([sys.executable, "-m", "awslambdaric", "app.handler"]) as function:
        client = boto3.client("lambda", endpoint_url=function.url, …)
        client.invoke(FunctionName="function", Payload="{}")

One port has the invoke APIs and, for runtimes that are started by hand, the Runtime API.
"""

import argparse
import asyncio
import json
import shlex
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

from converse_hops.functions.fleet import Fleet, Throttled
from converse_hops.functions.invocation import Invocation, new_trace_id
from converse_hops.functions.invoke import ASK_ERRORS, BUFFERED, STREAMING, Refused
from converse_hops.functions.replies import StreamReply, reply_whole
from converse_hops.functions.runtime_api import MOST_BUFFERED, PREFIX, answer
from converse_hops.functions.sandbox import Program
from converse_hops.http.hop import HttpHop
from converse_hops.http.link import header
from converse_hops.http.server import BodyTooLarge, Incoming
from converse_hops.passage import Passage

LONGEST = 900.0  # seconds that a function may be given
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"

Mode = Literal["buffered", "streaming"]
PATHS: dict[Mode, tuple[str, str]] = {
    "buffered": (BUFFERED, "/invocations"),
    "streaming": (STREAMING, "/response-streaming-invocations"),
}


class Function(HttpHop):
    """Runs `command` for each sandbox that is needed, or waits for runtimes that are started by hand.

    A runtime by hand has this hop's HOST:PORT in `AWS_LAMBDA_RUNTIME_API`. `timeout` is the function's own,
    in seconds; at most `concurrency` sandboxes run at a time, then invocations are throttled.
    `hold_last_chunk` keeps each piece of a stream back until the next one comes, as was reported in 2023 and
    2024. `tell_errors` has the last frame tell a failure as the developer guide says; captured ones do not.
    """

    runs_on = True  # "not interrupted or stopped when the invoking client connection is broken"

    def __init__(
        self,
        command: Sequence[str] | None = None,
        *,
        name: str = "function",
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        timeout: float = LONGEST,
        concurrency: int = 10,
        hold_last_chunk: bool = False,
        tell_errors: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        super().__init__(host=host, port=port, speed=speed)
        if not 0 < timeout <= LONGEST:
            raise ValueError(f"timeout is more than 0 and at most {LONGEST:g} s, not {timeout:g}")
        self.name = name
        self.arn = ARN + name
        self._program = Program(command, name, env or {}, cwd) if command else None
        self._timeout = timeout
        self._concurrency = concurrency
        self._hold_last = hold_last_chunk
        self._tell_errors = tell_errors
        self._fleet: Fleet
        self._asynchronous: set[asyncio.Task[None]] = set()

    @property
    def runtime_api(self) -> str:
        """What `AWS_LAMBDA_RUNTIME_API` is to be for a runtime that is started by hand."""
        return self.url.removeprefix("http://")

    async def _open(self, listening: socket.socket) -> None:
        self._fleet = Fleet(self._program, self.pace, self._timeout, self._concurrency)
        await super()._open(listening)

    async def _close(self) -> None:
        await super()._close()
        await self._fleet.close()

    async def _handle(self, incoming: Incoming) -> None:
        if incoming.target.startswith(PREFIX):
            await answer(incoming, self._fleet.by_hand)
        else:
            await super()._handle(incoming)

    async def _answer(self, incoming: Incoming, passage: Passage) -> None:
        try:
            mode, event = await self._asked(incoming)
            invocation = Invocation(
                event,
                self.arn,
                passage,
                header(incoming.headers, "X-Amzn-Trace-Id") or new_trace_id(),
                header(incoming.headers, "X-Amz-Client-Context") or "",
            )
            root = invocation.trace_id.partition(";")[0]  # the same as with whoever invoked it
            passage.note("up", "received", len(event), f"{invocation.id} {root}")
            await self._invoke(incoming, invocation, mode)
        except Throttled:
            await _refuse(incoming, passage, Refused(429, "TooManyRequestsException", "Rate Exceeded."))
        except Refused as refused:
            await _refuse(incoming, passage, refused)

    async def _asked(self, incoming: Incoming) -> tuple[Mode, bytes]:
        """How the function is invoked and with which event; raises `Refused`."""
        name, mode = _operation(incoming)
        if mode is None:
            what = f"{incoming.method} {incoming.target}"
            raise Refused(404, "UnknownOperationException", f"no operation is {what}")
        if name not in (self.name, self.arn, self.arn.split(":", 4)[4]):
            raise Refused(404, "ResourceNotFoundException", f"Function not found: {name}")
        try:
            event = await incoming.body(MOST_BUFFERED) or b"{}"
            json.loads(event)
        except BodyTooLarge as error:
            limit = f"smaller than {MOST_BUFFERED} bytes for the InvokeFunction operation"
            raise Refused(413, "RequestTooLargeException", f"Request must be {limit}") from error
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            raise Refused(400, "InvalidRequestContentException", message) from error
        return mode, event

    async def _invoke(self, incoming: Incoming, invocation: Invocation, mode: Mode) -> None:
        asked = header(incoming.headers, "X-Amz-Invocation-Type") or "RequestResponse"
        if asked == "DryRun":
            await incoming.answer(204, [])
            return
        await self._fleet.submit(invocation)
        log = header(incoming.headers, "X-Amz-Log-Type") == "Tail"
        if mode == "streaming":
            tell = self._tell_errors or header(incoming.headers, ASK_ERRORS) is not None
            reply = StreamReply(incoming, invocation, self.pace, hold_last=self._hold_last, tell_errors=tell)
            await reply.play(log)
            invocation.passage.note("down", "ended")
        elif asked == "Event":
            draining = asyncio.create_task(_drain(invocation))
            self._asynchronous.add(draining)
            draining.add_done_callback(self._asynchronous.discard)
            await incoming.answer(202, [("x-amzn-RequestId", invocation.id)])
        else:
            await reply_whole(incoming, invocation, log=log)
            invocation.passage.note("down", "ended")

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        add_function_options(parser)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        return cls(**function_arguments(options), port=options.port)


def function_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """A function's arguments, its port excepted."""
    return {
        "command": shlex.split(options.command) if options.command else None,
        "name": options.name,
        "timeout": options.timeout,
        "concurrency": options.concurrency,
        "hold_last_chunk": options.hold_last_chunk,
        "tell_errors": options.tell_errors,
        "host": options.host,
        "speed": options.speed,
    }


def add_function_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which function there is."""
    parser.add_argument(
        "--command",
        help="the program to run, as a shell would write it; without it, start yours by hand with the URL's "
        "HOST:PORT in AWS_LAMBDA_RUNTIME_API",
    )
    parser.add_argument("--name", default="function", help="the function's name (default: %(default)s)")
    parser.add_argument(
        "--timeout", type=float, default=LONGEST, help="the function's timeout in seconds (default: 900)"
    )
    parser.add_argument(
        "--concurrency", type=int, default=10, help="sandboxes at a time; then 429 (default: %(default)s)"
    )
    parser.add_argument(
        "--hold-last-chunk", action="store_true", help="keep each chunk back until the next one comes"
    )
    parser.add_argument(
        "--tell-errors", action="store_true", help="have the last frame tell a failure in the stream"
    )


async def _drain(invocation: Invocation) -> None:
    """Nobody waits for what an asynchronous call answers."""
    async for _ in invocation.pieces():
        pass
    invocation.passage.note("down", "ended")


def _operation(incoming: Incoming) -> tuple[str, Mode | None]:
    """The function's name and how it is invoked."""
    path = unquote(urlsplit(incoming.target).path)
    for mode, (prefix, end) in PATHS.items():
        if incoming.method == "POST" and path.startswith(prefix) and path.endswith(end):
            return path[len(prefix) : -len(end)].removesuffix(":$LATEST"), mode
    return "", None


async def _refuse(incoming: Incoming, passage: Passage, refused: Refused) -> None:
    passage.note("down", "failed", detail=refused.error_type)
    await incoming.answer(refused.status, refused.headers, refused.body)
