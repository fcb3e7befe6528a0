"""What comes of an invocation, on its way to who invoked: as a stream, or whole.

The function runs on when that one has left: its response is read to the end, and thrown away.
"""

import time
from contextlib import suppress
from email.utils import formatdate

from converse_hops.functions.bandwidth import lambda_bandwidth
from converse_hops.functions.invocation import Ended, Failure, Invocation, Started
from converse_hops.functions.invoke import invoke_complete, log_of, payload_chunk, stream_head, whole_head
from converse_hops.functions.runtime_api import MOST_BUFFERED
from converse_hops.http.link import PeerLeft
from converse_hops.http.server import Incoming
from converse_hops.pace import Pace

MOST_STREAMED = 209_715_201  # bytes: 200 MiB and one were seen to arrive; the rest is dropped without a word


class StreamReply:
    """InvokeWithResponseStream's: a frame for each piece, at Lambda's bandwidth."""

    def __init__(
        self, incoming: Incoming, invocation: Invocation, pace: Pace, *, hold_last: bool, tell_errors: bool
    ) -> None:
        self._incoming = incoming
        self._invocation = invocation
        self._pace = pace
        self._hold_last = hold_last
        self._held = b""
        self._tell_errors = tell_errors
        self._bucket = lambda_bandwidth()
        self._streamed = 0

    async def play(self, log: bool) -> None:
        """All of it. `log`: the last frame has the end of the function's log."""
        async for piece in self._invocation.pieces():
            with suppress(PeerLeft):
                match piece:
                    case Started(content_type):
                        head = stream_head(self._invocation, formatdate(usegmt=True), content_type)
                        await self._incoming.head(200, head)
                    case Ended(failure):
                        await self._pass(self._held)
                        tail = log_tail(self._invocation) if log else None
                        told = failure if self._tell_errors else None
                        await self._incoming.send(invoke_complete(told, tail))
                        await self._incoming.end()
                    case _ if self._hold_last:
                        held, self._held = self._held, piece
                        await self._pass(held)
                    case _:
                        await self._pass(piece)

    async def _pass(self, data: bytes) -> None:
        room = MOST_STREAMED - self._streamed
        if len(data) > room and self._streamed < MOST_STREAMED:
            self._invocation.passage.note("down", "cut", detail="payload of 200 MiB")
        data = data[:room]
        if not data or self._incoming.left.done():
            return
        self._streamed += len(data)
        wait = self._bucket.take(len(data), self._pace.now())
        if wait > 0:
            await self._pace.sleep(wait)
        await self._incoming.send(payload_chunk(data))
        self._invocation.passage.note("down", "passed", len(data))


async def reply_whole(incoming: Incoming, invocation: Invocation, *, log: bool) -> None:
    """Invoke's: everything at the end, up to 6 MiB."""
    body = bytearray()
    started = Started("application/json", streaming=False)
    failure: Failure | None = None
    async for piece in invocation.pieces():
        match piece:
            case Started():
                started = piece
            case Ended(failure):
                pass
            case _ if len(body) <= MOST_BUFFERED:
                body += piece
    if len(body) > MOST_BUFFERED:
        limit = f"maximum allowed payload size ({MOST_BUFFERED} bytes)."
        failure = Failure.of("Function.ResponseSizeTooLarge", f"Response payload size exceeded {limit}")
        started, body = Started("application/json", streaming=False), bytearray(failure.body)
    told = None if started.streaming else failure
    tail = log_tail(invocation) if log else None
    content_type = "application/octet-stream" if started.streaming else started.content_type
    head = whole_head(invocation, formatdate(usegmt=True), content_type, told, tail)
    with suppress(PeerLeft):
        await incoming.answer(200, head, bytes(body))
        invocation.passage.note("down", "passed", len(body))


def log_tail(invocation: Invocation) -> bytes:
    return log_of(invocation, 1000 * (time.monotonic() - invocation.began))
