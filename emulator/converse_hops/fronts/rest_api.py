"""An API Gateway REST API: response streaming where it is switched on, with clocks that cut it.

Source: API Gateway's documentation of response streaming. What it does not tell is inferred, and a switch.
"""

import argparse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Literal, Self, get_args

from converse_hops.fronts.asked import Asked
from converse_hops.fronts.front import Front, add_front_options, front_options
from converse_hops.fronts.heads import JSON, OCTETS, compose
from converse_hops.fronts.invoking import Stream, invoke, invoke_stream
from converse_hops.fronts.payload_v1 import Stage, event, read_answer
from converse_hops.functions.bandwidth import Bucket
from converse_hops.functions.function import Function
from converse_hops.functions.prelude import Metadata, PreludeError, Splitter, parse_metadata, split_whole
from converse_hops.functions.runtimes import TIMED_OUT
from converse_hops.http.server import Incoming
from converse_hops.passage import Passage

Mode = Literal["STREAM", "BUFFERED"]
InvokeApi = Literal["InvokeWithResponseStream", "Invoke"]
OnFailure = Literal["end", "cut"]
FITS: dict[Mode, InvokeApi] = {"STREAM": "InvokeWithResponseStream", "BUFFERED": "Invoke"}
IDLE, IDLE_AT_THE_EDGE = 300.0, 30.0  # seconds without a byte
LONGEST = 900.0  # seconds of a stream
INTEGRATION = 29.0  # seconds that a buffered integration has
BODIES = {
    500: b'{"message": "Internal server error"}',
    502: b'{"message": "Internal server error"}',
    504: b'{"message": "Endpoint request timed out"}',
    413: b'{"message":"Request Too Long"}',
    429: b'{"message":"Too Many Requests"}',
}


def bandwidth() -> Bucket:
    """10 MB at once, then 2 MB a second."""
    return Bucket(burst=10_485_760, refill=262_144, tick=0.125)


class RestApi(Front):
    """In front of a function, by a proxy integration.

    `edge` is an edge-optimised endpoint, which cuts after 30 s without a byte instead of 5 min. `invoke_api`
    is the API in the integration's URI; only one fits a mode. `timeout` binds buffered integrations.
    `on_failure` says how a stream ends when the function fails in the middle; its timeout cuts.
    """

    def __init__(
        self,
        function: Function | str,
        mode: Mode = "BUFFERED",
        *,
        edge: bool = False,
        invoke_api: InvokeApi | None = None,
        timeout: float = INTEGRATION,
        on_failure: OnFailure = "end",
        stage: str = "prod",
        function_name: str = "function",
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        super().__init__(function, function_name=function_name, host=host, port=port, speed=speed)
        if mode not in FITS:
            raise ValueError(f"mode is one of {', '.join(FITS)}, not {mode!r}")
        if invoke_api not in (None, FITS[mode]):
            raise ValueError(f"{mode} with {invoke_api} is not supported: the integration is by {FITS[mode]}")
        self._mode = mode
        self._idle = IDLE_AT_THE_EDGE if edge else IDLE
        self._timeout = timeout
        self._cut_on_failure = on_failure == "cut"
        self._stage = Stage("abcdefghij", "abcdefghij.execute-api.us-east-1.amazonaws.com", stage)

    async def _respond(self, incoming: Incoming, asked: Asked, passage: Passage) -> None:
        if self._mode == "BUFFERED":
            async with self.pace.limit("integration timeout", self._timeout):
                metadata, body = await self._buffered(asked, passage)
            await incoming.answer(metadata.status, self._head(asked, metadata, JSON, len(body)), body)
            passage.note("down", "passed", len(body))
            passage.note("down", "ended")
        else:
            async with self.pace.limit("stream duration", LONGEST):
                await self._stream(incoming, asked, passage)

    async def _stream(self, incoming: Incoming, asked: Asked, passage: Passage) -> None:
        splitter = Splitter()
        bucket = bandwidth()
        async with AsyncExitStack() as stack:
            invoking = invoke_stream(self.target, event(asked, self._stage), asked.trace_id)
            async with self.pace.limit("idle timeout", self._idle):
                stream = await stack.enter_async_context(invoking)
            passage.note("up", "passed", len(asked.body), stream.request_id)
            async for chunk in self._in_time(stream):
                payload = splitter.feed(chunk)
                if splitter.metadata is not None and not incoming.responded:
                    metadata = parse_metadata(splitter.metadata)
                    await incoming.head(metadata.status, self._head(asked, metadata, OCTETS, None))
                if payload:
                    passage.note("down", "received", len(payload))
                    if (wait := bucket.take(len(payload), self.pace.now())) > 0:
                        await self.pace.sleep(wait)
                    await self._pass(incoming, passage, payload)
            splitter.end()
            if stream.error_code == TIMED_OUT or (stream.error_code and self._cut_on_failure):
                passage.note("down", "cut", detail=f"the function failed: {stream.error_code}")
                incoming.hang_up()
                return
            await incoming.end()
            passage.note("down", "ended")

    async def _in_time(self, stream: Stream) -> AsyncIterator[bytes]:
        """The stream's chunks, as long as none keeps others waiting for too long."""
        chunks = stream.chunks()
        while True:
            async with self.pace.limit("idle timeout", self._idle):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk

    async def _buffered(self, asked: Asked, passage: Passage) -> tuple[Metadata, bytes]:
        whole = await invoke(self.target, event(asked, self._stage), asked.trace_id)
        passage.note("up", "passed", len(asked.body), whole.request_id)
        if whole.failed:
            passage.note("down", "failed", detail="the function failed")
            return Metadata(502), BODIES[502]
        if whole.content_type != OCTETS:
            try:
                metadata, body = read_answer(whole.body)
            except PreludeError as error:
                passage.note("down", "failed", detail=str(error))
                return Metadata(502), BODIES[502]
            passage.note("down", "received", len(body))
            return metadata, body
        # The function streamed: its metadata count, what comes after them is lost.
        metadata, lost = split_whole(whole.body)
        passage.note("down", "received", len(lost))
        return metadata, b""

    async def _refuse(self, incoming: Incoming, asked: Asked, status: int) -> None:
        head = self._head(asked, Metadata(status), JSON, len(BODIES[status]))
        await incoming.answer(status, head, BODIES[status])

    def _head(
        self, asked: Asked, metadata: Metadata, default_type: str, length: int | None
    ) -> list[tuple[str, str]]:
        ids = (("x-amzn-RequestId", asked.id), ("x-amz-apigw-id", asked.extended_id))
        last = (("X-Amzn-Trace-Id", asked.root),)
        return compose(metadata, default_type=default_type, length=length, ids=ids, last=last, lower=False)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        add_front_options(parser)
        parser.add_argument(
            "--mode", choices=FITS, default="BUFFERED", help="responseTransferMode (default: %(default)s)"
        )
        parser.add_argument(
            "--edge", action="store_true", help="an edge-optimised endpoint: 30 s without a byte, not 5 min"
        )
        parser.add_argument("--stage", default="prod", help="the stage's name (default: %(default)s)")
        parser.add_argument(
            "--on-failure",
            choices=get_args(OnFailure),
            default="end",
            help="how a stream ends when the function fails in the middle (default: %(default)s)",
        )

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        return cls(
            mode=options.mode,
            edge=options.edge,
            stage=options.stage,
            on_failure=options.on_failure,
            **front_options(options),
        )
