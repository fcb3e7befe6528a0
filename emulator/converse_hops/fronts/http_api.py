"""An API Gateway HTTP API: it cannot stream. Whoever configures it to, as is often advised, sees this.

It has no switch for streaming, invokes its function by Invoke, and gives it 30 s at most.
Source: API Gateway's documentation and service model; the text of its errors is general knowledge.
"""

import argparse
from typing import Literal, Self, get_args

from converse_hops.fronts.asked import ACCOUNT, Asked
from converse_hops.fronts.front import Front, add_front_options, front_options
from converse_hops.fronts.heads import JSON, OCTETS, compose
from converse_hops.fronts.invoking import invoke
from converse_hops.fronts.payload_v2 import Api, event, read_answer
from converse_hops.functions.function import Function
from converse_hops.functions.prelude import Metadata, PreludeError, split_whole
from converse_hops.http.server import Incoming
from converse_hops.passage import Passage

OnStream = Literal["buffer", "error"]
LONGEST = 30.0  # seconds that an integration has
BODIES = {503: b'{"message":"Service Unavailable"}', 500: b'{"message":"Internal Server Error"}'}
BODIES |= {413: b'{"message":"Request Entity Too Large"}', 429: b'{"message":"Too Many Requests"}'}


class HttpApi(Front):
    """In front of a function. `on_stream` says what becomes of a function that streams, which nobody has
    shown: all of it comes at the end, or an error does.
    """

    def __init__(
        self,
        function: Function | str,
        *,
        timeout: float = LONGEST,
        on_stream: OnStream = "buffer",
        function_name: str = "function",
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
    ) -> None:
        super().__init__(function, function_name=function_name, host=host, port=port, speed=speed)
        if not 0.05 <= timeout <= LONGEST:
            raise ValueError(f"an integration's timeout is from 0.05 to {LONGEST:g} s, not {timeout:g}")
        self._timeout = timeout
        self._refuses_streams = on_stream == "error"

    async def _respond(self, incoming: Incoming, asked: Asked, passage: Passage) -> None:
        api = Api(ACCOUNT, "abcdefghij", "abcdefghij.execute-api.us-east-1.amazonaws.com")
        async with self.pace.limit("integration timeout", self._timeout):
            whole = await invoke(self.target, event(asked, api), asked.trace_id)
        passage.note("up", "passed", len(asked.body), whole.request_id)
        if whole.failed:
            raise PreludeError("the function failed")
        if whole.content_type == OCTETS and not self._refuses_streams:
            metadata, body = _joined(whole.body)
        else:
            metadata, body = read_answer(whole.body)
        passage.note("down", "received", len(body))
        await incoming.answer(metadata.status, self._head(asked, metadata, len(body)), body)
        passage.note("down", "passed", len(body))
        passage.note("down", "ended")

    async def _refuse(self, incoming: Incoming, asked: Asked, status: int) -> None:
        status = {502: 500, 504: 503}.get(status, status)
        head = self._head(asked, Metadata(status), len(BODIES[status]))
        await incoming.answer(status, head, BODIES[status])

    def _head(self, asked: Asked, metadata: Metadata, length: int) -> list[tuple[str, str]]:
        last = (("Apigw-Requestid", asked.extended_id),)
        return compose(metadata, default_type=JSON, length=length, ids=(), last=last, lower=True)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        add_front_options(parser)
        parser.add_argument(
            "--on-stream",
            choices=get_args(OnStream),
            default="buffer",
            help="what becomes of a function that streams (default: %(default)s)",
        )

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        return cls(on_stream=options.on_stream, **front_options(options))


def _joined(whole: bytes) -> tuple[Metadata, bytes]:
    """A streamed answer, all of it at once."""
    try:
        return split_whole(whole)
    except PreludeError:
        return Metadata(headers=(("content-type", OCTETS),)), whole
