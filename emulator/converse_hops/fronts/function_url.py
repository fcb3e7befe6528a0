"""A Lambda function URL: `RESPONSE_STREAM`, or `BUFFERED` as it is unless somebody says otherwise.

Source: a capture of function URLs (September 2026, HTTP/1.1). What it does not show is a switch.
"""

import argparse
from typing import Literal, Self, get_args

from converse_hops.fronts.asked import Asked
from converse_hops.fronts.cors import PREFIX, Cors
from converse_hops.fronts.front import Front, add_front_options, front_options
from converse_hops.fronts.heads import JSON, OCTETS, compose
from converse_hops.fronts.invoking import Stream, invoke, invoke_stream
from converse_hops.fronts.payload_v2 import Api, event, read_answer
from converse_hops.functions.function import Function
from converse_hops.functions.prelude import (
    CONTENT_TYPE,
    Metadata,
    PreludeError,
    Splitter,
    parse_metadata,
    split_whole,
)
from converse_hops.functions.runtimes import TIMED_OUT
from converse_hops.http.link import Headers
from converse_hops.http.server import Incoming
from converse_hops.passage import Passage

Mode = Literal["RESPONSE_STREAM", "BUFFERED"]
OnTimeout = Literal["end", "cut"]
API = Api("anonymous", "abcdefghij", "abcdefghij.lambda-url.us-east-1.on.aws")
LONGEST_EMPTY = 900.0  # seconds that an empty stream stays open; more than 90 were seen, 16 minutes reported


class FunctionUrl(Front):
    """In front of a function.

    `on_timeout` says how a response ends when the function's time is up in the middle, which nobody has
    shown: cleanly, as when it fails, or by a cut. `empty_stream_hangs`: a stream without a byte gets its head
    and then no end, as seen. `cors` is answered by the URL itself.
    """

    def __init__(
        self,
        function: Function | str,
        mode: Mode = "BUFFERED",
        *,
        cors: Cors | None = None,
        on_timeout: OnTimeout = "end",
        empty_stream_hangs: bool = True,
        function_name: str = "function",
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        super().__init__(function, function_name=function_name, host=host, port=port, speed=speed)
        if mode not in get_args(Mode):
            raise ValueError(f"mode is one of {', '.join(get_args(Mode))}, not {mode!r}")
        self._mode = mode
        self._cors = cors
        self._cut_on_timeout = on_timeout == "cut"
        self._empty_hangs = empty_stream_hangs

    async def _respond(self, incoming: Incoming, asked: Asked, passage: Passage) -> None:
        if self._cors and self._cors.is_preflight(asked):
            await self._whole(incoming, asked, Metadata(headers=self._cors.preflight(asked)), b"")
        elif self._mode == "BUFFERED":
            await self._buffered(incoming, asked, passage)
        else:
            await self._stream(incoming, asked, passage)

    # ------------------------------------------------------------------------------------- streaming

    async def _stream(self, incoming: Incoming, asked: Asked, passage: Passage) -> None:
        async with invoke_stream(self.target, event(asked, API), asked.trace_id) as stream:
            passage.note("up", "passed", len(asked.body), stream.request_id)
            splitter = Splitter()
            if stream.content_type != CONTENT_TYPE:  # no prelude: all is body, whatever it says
                splitter.metadata = b""
                await self._begin(incoming, asked, Metadata(headers=(("content-type", stream.content_type),)))
            async for chunk in stream.chunks():
                payload = splitter.feed(chunk)
                if splitter.metadata is not None and not incoming.responded:
                    await self._begin(incoming, asked, parse_metadata(splitter.metadata))
                if payload:
                    passage.note("down", "received", len(payload))
                    await self._pass(incoming, passage, payload)
            splitter.end()
            await self._end(incoming, stream, passage)

    async def _begin(self, incoming: Incoming, asked: Asked, metadata: Metadata) -> None:
        await incoming.head(metadata.status, self._head(asked, metadata, OCTETS, None))

    async def _end(self, incoming: Incoming, stream: Stream, passage: Passage) -> None:
        if self._cut_on_timeout and stream.error_code == TIMED_OUT:
            passage.note("down", "cut", detail="function timeout")
            incoming.hang_up()
            return
        if self._empty_hangs and not passage.total("received") and not incoming.bodiless:
            await self.pace.sleep(LONGEST_EMPTY)
        await incoming.end()
        passage.note("down", "ended")

    # -------------------------------------------------------------------------------------- buffered

    async def _buffered(self, incoming: Incoming, asked: Asked, passage: Passage) -> None:
        whole = await invoke(self.target, event(asked, API), asked.trace_id)
        passage.note("up", "passed", len(asked.body), whole.request_id)
        if whole.failed:
            passage.note("down", "failed", detail="the function failed")
            await self._refuse(incoming, asked, 502)
            return
        if whole.content_type == OCTETS:  # the function streamed
            metadata, body, kept = _of_a_stream(whole.body)
            passage.note("down", "received", len(body))
            body = body if kept else b""
        else:
            metadata, body = read_answer(whole.body)
            passage.note("down", "received", len(body))
        await self._whole(incoming, asked, metadata, body)
        passage.note("down", "passed", len(body))
        passage.note("down", "ended")

    async def _whole(self, incoming: Incoming, asked: Asked, metadata: Metadata, body: bytes) -> None:
        head = self._head(asked, metadata, JSON, len(body))
        await incoming.answer(metadata.status, head, body)

    # ------------------------------------------------------------------------------------------ both

    async def _refuse(self, incoming: Incoming, asked: Asked, status: int) -> None:
        if status in (500, 504):
            status = 502
        body = {429: b'{"Message":"Rate Exceeded."}', 413: b'{"Message":"Request too long"}'}
        told = body.get(status, b"Internal Server Error")
        await self._whole(incoming, asked, Metadata(status), told)

    def _head(
        self, asked: Asked, metadata: Metadata, default_type: str, length: int | None
    ) -> list[tuple[str, str]]:
        """As captured; with CORS configured the URL's words replace the function's."""
        granted: Headers = ()
        if self._cors and not self._cors.is_preflight(asked):
            granted = self._cors.granted(asked)
            own = tuple(row for row in metadata.headers if not row[0].lower().startswith(PREFIX))
            metadata = Metadata(metadata.status, own, metadata.cookies)
        ids = (("x-amzn-RequestId", asked.id), *granted)
        last = (("X-Amzn-Trace-Id", asked.trace_id),)
        return compose(metadata, default_type=default_type, length=length, ids=ids, last=last, lower=True)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        add_front_options(parser)
        parser.add_argument(
            "--mode",
            choices=get_args(Mode),
            default="BUFFERED",
            help="the invoke mode (default: %(default)s)",
        )
        parser.add_argument(
            "--cors", action="store_true", help="answer CORS for any origin, method and header"
        )
        parser.add_argument(
            "--on-timeout",
            choices=get_args(OnTimeout),
            default="end",
            help="how a response ends when the function's time is up (default: %(default)s)",
        )
        parser.add_argument(
            "--empty-stream-ends", action="store_true", help="end a stream without a byte at once"
        )

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        return cls(
            mode=options.mode,
            cors=Cors(allow_headers=("*",)) if options.cors else None,
            on_timeout=options.on_timeout,
            empty_stream_hangs=not options.empty_stream_ends,
            **front_options(options),
        )


def _of_a_stream(whole: bytes) -> tuple[Metadata, bytes, bool]:
    """A streamed answer in buffered mode: of one with a prelude nothing but the head is kept."""
    try:
        return *split_whole(whole), False
    except PreludeError:
        return Metadata(headers=(("content-type", OCTETS),)), whole, True
