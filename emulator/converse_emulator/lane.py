"""The lane for what matters: POST over HTTP/1.1 with a body of known length, straight to the data plane and
back, without a task where all of the answer is sent at once.

Whatever else comes on a connection is handed over with all its bytes, once and for good: HTTP/2, control
routes, dialogues, other methods, chunked or large bodies, `Expect`, upgrades, HTTP/1.0, and what is no HTTP.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from converse_emulator.http.framing import Framing, whole_response
from converse_emulator.http.head import RequestHead, read_head
from converse_emulator.lanes import Lanes
from converse_emulator.opening import Answer, played
from converse_emulator.wires.lane_wire import Cycle, Flow, LaneWire

CONTROL = b"/_emulator/"
DIALOGUE = b"/invoke-with-bidirectional-stream"
KEPT_ALIVE = 60.0  # seconds that a connection may be idle
LARGEST_HEAD = 65_536
LARGEST_AT_ONCE = 65_536  # bytes of a body that are written whether the client reads or not
MOST_WAITING = 65_536  # bytes of further requests that are taken in while one is answered
HIGH_WATER = 16_384  # bytes that wait to be sent before the play has to wait

logger = logging.getLogger(__name__)

AnswerTo = Callable[[RequestHead, bytes], Answer]
HandOver = Callable[[asyncio.Transport, bytes], None]


class _Response(NamedTuple):
    """An answer, framed; `closes`: it is the last."""

    answer: Answer
    data: bytes
    closes: bool


class Lane(asyncio.Protocol):
    """One connection, one request at a time. It has its turns among the others of the server, `lanes`."""

    __slots__ = (
        "_answer_to",
        "_body",
        "_cycle",
        "_flow",
        "_hand_over",
        "_idle_since",
        "_idle_timer",
        "_lanes",
        "_loop",
        "_received",
        "_request",
        "_response",
        "transport",
        "waits",
    )

    def __init__(self, answer_to: AnswerTo, hand_over: HandOver, lanes: Lanes) -> None:
        self.transport: asyncio.Transport
        self.waits = False  # for its turn
        self._answer_to = answer_to
        self._hand_over = hand_over
        self._lanes = lanes
        self._loop = asyncio.get_running_loop()
        self._flow = Flow()
        self._received = b""  # of the request that is coming, and of those after it
        self._request: RequestHead | None = None  # whose body is coming
        self._body = range(0)  # where in what was received its body is
        self._response: _Response | None = None  # that is still to be sent, all of it at once
        self._cycle: Cycle | None = None  # the response that is being played
        self._idle_since = self._loop.time()
        self._idle_timer: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)
        self._lanes.open.add(self)
        self._idle_timer = self._loop.call_later(KEPT_ALIVE, self._close_if_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._leave()
        if self._cycle is not None:
            self._cycle.disconnect()
        self._flow.resume_writing()

    def pause_writing(self) -> None:
        self._flow.pause_writing()

    def resume_writing(self) -> None:
        self._flow.resume_writing()

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        if self._cycle is not None:
            if len(self._received) > MOST_WAITING:
                self.transport.pause_reading()
        elif not self.waits:
            self._lanes.wait(self)

    @property
    def has_more(self) -> bool:
        """Whether there is something to be answered."""
        return bool(self._received) and self._cycle is None and not self.transport.is_closing()

    def answer(self) -> bool:
        """Answer the request that is there, if a whole one is; true if there is something to `send` then."""
        if self.has_more and self._has_request():
            assert self._request is not None
            body = self._received[self._body.start : self._body.stop]
            self._received = self._received[self._body.stop :]
            request, self._request = self._request, None
            try:
                self._respond(request, body)
            except Exception:
                logger.exception("The emulator failed before an answer")
                self.transport.close()
        return self._response is not None

    def send(self) -> None:
        """Send the response."""
        assert self._response is not None
        response, self._response = self._response, None
        try:
            self.transport.write(response.data)
            response.answer.sent()
            self._finish(closes=response.closes)
        except Exception:  # others have their turn after it
            logger.exception("The emulator failed after an answer")
            self.transport.close()

    def _has_request(self) -> bool:
        """Whether a whole request is there that is ours."""
        if self._request is None:
            if not self._received.startswith(b"PO"):  # one byte more than HTTP/2 may begin with
                self._give_up()
                return False
            end = self._received.find(b"\r\n\r\n") + 4
            if end < 4:
                if len(self._received) > LARGEST_HEAD:
                    self._give_up()
                return False
            head = read_head(self._received[:end])
            if head is None or head.path.startswith(CONTROL) or head.path.endswith(DIALOGUE):
                self._give_up()
                return False
            self._request, self._body = head, range(end, end + head.length)
        return len(self._received) >= self._body.stop

    def _respond(self, request: RequestHead, body: bytes) -> None:
        answer = self._answer_to(request, body)
        whole = answer.whole
        if whole and len(whole.body) <= LARGEST_AT_ONCE and not self._flow.write_paused:
            data, closes = whole_response(whole.head.status, whole.head.headers, whole.body)
            self._response = _Response(answer, data, closes or request.closes)
        else:
            self._cycle = Cycle(Framing(closes=request.closes), self.transport, self._flow)
            task = self._loop.create_task(self._play(answer, self._cycle))
            self._lanes.tasks.add(task)
            task.add_done_callback(self._lanes.tasks.discard)

    async def _play(self, answer: Answer, cycle: Cycle) -> None:
        await played(answer, LaneWire(cycle, self.transport))
        self._cycle = None
        if cycle.response_complete:
            self._finish(closes=cycle.conn.closes or not cycle.keep_alive)
            if self.has_more:
                self._lanes.wait(self)
        else:
            self.transport.close()

    def _finish(self, *, closes: bool) -> None:
        """The response is complete: make ready for the next request."""
        if self.transport.is_closing():
            return
        if closes:
            self._received = b""
            self.transport.close()
            return
        self._idle_since = self._loop.time()
        self.transport.resume_reading()

    def _give_up(self) -> None:
        """What has come is not for the lane."""
        self._leave()
        received, self._received = self._received, b""
        self._hand_over(self.transport, received)

    def _leave(self) -> None:
        self._lanes.open.discard(self)
        self._idle_timer.cancel()

    def _close_if_idle(self) -> None:
        busy = self._cycle is not None or self._received
        left = KEPT_ALIVE if busy else self._idle_since + KEPT_ALIVE - self._loop.time()
        if left <= 0:
            self.transport.close()
        else:
            self._idle_timer = self._loop.call_later(left, self._close_if_idle)
