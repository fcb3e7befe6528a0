"""The lane over HTTP/2: uvicorn's protocol, where an ordinary POST becomes no task while its body is coming,
and none at all where its answer can be sent at once.

Such a request waits here for its end. Once the bytes that came together are read, those that are whole are
answered, all in one write; what is played takes a task of uvicorn's then. A body that grows large is handed
over with its request. Whatever else comes on the same connection is uvicorn's from its beginning.
"""

import logging
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import zttp
from uvicorn.protocols.http import zttp_h2_impl

from converse_emulator.http.asgi import Receive, Scope, Send
from converse_emulator.http.framing import BODYLESS
from converse_emulator.http.head import LARGEST_BODY, RequestHead
from converse_emulator.http.headers import Headers
from converse_emulator.lane import CONTROL, DIALOGUE, LARGEST_AT_ONCE
from converse_emulator.opening import played
from converse_emulator.playing.acts import ErrorCode
from converse_emulator.wires.http2 import Http2Wire, of_the_stream
from converse_emulator.wires.uvicorn_wire import raw_headers

if TYPE_CHECKING:
    from converse_emulator.lane import AnswerTo
    from converse_emulator.opening import Answer

# After 4,096 requests, or 256 that the client has reset, zttp ends a connection with an error, whatever is
# under way. Before that the client is told to go on with another; what it sends until it knows is answered.
MOST_REQUESTS = 3_800
MOST_RESETS = 200
ALL_STREAMS = (1 << 31) - 1

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Coming:
    """A request whose body is coming."""

    request: zttp.Request
    headers: Headers
    body: bytearray = field(default_factory=bytearray)


class Http2Lane(zttp_h2_impl.ZttpH2Protocol):
    """One connection and its streams. Without `answer_to` all requests are uvicorn's."""

    def __init__(self, answer_to: "AnswerTo | None", *uvicorns: Any, **named: Any) -> None:
        super().__init__(*uvicorns, **named)
        self.app = self._serve
        self._answer_to = answer_to
        self._coming: dict[int, _Coming] = {}  # not yet answered, by their streams
        self._whole: list[int] = []  # of these, what has come to its end, in that order
        self._sent: list[Answer] = []  # framed, and not yet written
        self._resets = 0
        self._retires = False

    def data_received(self, data: bytes) -> None:
        super().data_received(data)  # it writes what was framed, all at once
        for answer in self._sent:
            answer.sent()
        self._sent.clear()
        if self.shutdown_requested and not self.cycles:
            self._close_connection()

    def connection_lost(self, exc: Exception | None) -> None:
        self._coming.clear()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        for stream_id in self._whole:
            if stream_id in self._coming:  # it may be reset by now
                self._answer(self._coming.pop(stream_id))
        self._whole.clear()

    def events(self) -> Generator[zttp.Event]:
        """Those that are uvicorn's."""
        while (event := self.conn.next_event()) is not zttp.NEED_DATA:
            if not self._took(event):
                yield event

    def _took(self, event: zttp.Event) -> bool:
        """Whether it is about a request of the lane."""
        match event:
            case zttp.Request():
                return self._took_request(event)
            case zttp.Data():
                return self._took_data(event)
            case zttp.EndOfMessage() if event.stream_id in self._coming:
                self._whole.append(event.stream_id)
                return True
            case zttp.RstStream():
                self._resets += 1
                if self._resets >= MOST_RESETS:
                    self._retire()
                return self._coming.pop(event.stream_id, None) is not None
            case _:
                return False

    def _took_request(self, request: zttp.Request) -> bool:
        if request.stream_id // 2 >= MOST_REQUESTS:
            self._retire()
        if (
            request.method != b"POST"
            or self._answer_to is None
            or self.shutdown_requested
            or request.path.startswith(CONTROL)
            or request.path.endswith(DIALOGUE)
        ):
            return False
        headers = Headers.of(request.headers)
        if "expect" in headers:
            return False
        self._coming[request.stream_id] = _Coming(request, headers)
        if request.end_stream:
            self._whole.append(request.stream_id)
        return True

    def _took_data(self, data: zttp.Data) -> bool:
        coming = self._coming.get(data.stream_id)
        if coming is None:
            return False
        if len(coming.body) + len(data.data) > LARGEST_BODY:
            self._give_up(coming)
            return False
        coming.body += data.data
        return True

    def _retire(self) -> None:
        """Announce the end of the connection, once; all that comes nevertheless is answered."""
        if not self._retires:
            self._retires = True
            self.conn.close(ErrorCode.NO_ERROR, ALL_STREAMS)

    def _give_up(self, coming: _Coming) -> None:
        """Its body is not for the lane."""
        request = coming.request
        del self._coming[request.stream_id]
        self._begin(request)
        self.cycles[request.stream_id].body += coming.body

    def _answer(self, coming: _Coming) -> None:
        request = coming.request
        head = RequestHead("POST", request.path, request.query, coming.headers, "2")
        stream = self.conn.stream(request.stream_id)
        assert self._answer_to is not None
        try:
            answer = self._answer_to(head, bytes(coming.body))
            if self._sends_at_once(answer, stream):
                self._sent.append(answer)
            else:
                self._begin(request, answer=answer)
        except Exception:
            logger.exception("The emulator failed before an answer")
            stream.reset(ErrorCode.CANCEL)

    def _sends_at_once(self, answer: "Answer", stream: zttp.Stream) -> bool:
        """Frame the response, if all of it can be sent at once; what the client's windows have no room for
        goes out when they open."""
        whole = answer.whole
        if whole is None or self.flow.write_paused:
            return False
        body = b"" if whole.head.status in BODYLESS else whole.body
        if len(body) > LARGEST_AT_ONCE:
            return False
        stream.send_response(whole.head.status, of_the_stream(raw_headers(whole.head.headers)))
        if body:
            stream.send_data(body)
        stream.end_message()
        return True

    def _begin(self, request: zttp.Request, **known: object) -> None:
        """Have uvicorn make a cycle and a task, with what is `known` in its scope's state."""
        of_all, self.app_state = self.app_state, self.app_state | known
        refusing, self.shutdown_requested = self.shutdown_requested, False  # the request was there before
        self.handle_request(request)
        self.app_state, self.shutdown_requested = of_all, refusing

    def handle_request(self, event: zttp.Request) -> None:
        super().handle_request(event)
        if event.end_stream:  # no further event tells
            cycle = self.cycles[event.stream_id]
            cycle.more_body = False
            cycle.message_event.set()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What a task of uvicorn's does."""
        answer: Answer | None = scope["state"].get("answer")
        if answer is None:
            await self.config.loaded_app(scope, receive, send)
            return
        await played(answer, Http2Wire(scope, receive, send))

    def _close_connection(self) -> None:
        """Not while a request is coming, or a response waits for the client's windows."""
        if not (self._coming or self.conn.has_pending_send()):
            super()._close_connection()
