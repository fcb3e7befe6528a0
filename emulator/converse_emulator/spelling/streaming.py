"""A performance as an event stream: what is sent is a frame each, the head goes with the first of them."""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import assert_never

from converse_emulator.choosing.request import Request
from converse_emulator.framing.frames import (
    endless_frame,
    error_frame,
    event_frame,
    exception_frame,
    paddings,
)
from converse_emulator.language.faults import Corrupt, Cut, Drop, Duplicate, Swap, Tear, Trickle, Trickled
from converse_emulator.language.scenario import Refuse, Throw
from converse_emulator.playing.acts import (
    Beat,
    Finish,
    Gate,
    GoAway,
    Hangup,
    Head,
    Hold,
    HttpHeaders,
    Reset,
    Send,
    Torn,
    part,
)
from converse_emulator.playing.acts import Raw as Wild
from converse_emulator.scripting.performance import Emit, Moment, Pause, Performance, Raw
from converse_emulator.spelling.delivery import Delivery, message_of
from converse_emulator.spelling.segments import shaped

Frame = Callable[[Emit | Raw], bytes]
EMPTY_DELTA = {"contentBlockIndex": 0, "delta": {"text": ""}}


def converse_stream(
    performance: Performance, request: Request, delivery: Delivery, rng: Random
) -> Iterator[Beat]:
    """The beats of a ConverseStream response: each event a frame, literal bytes as they are."""
    del request, rng  # the events are all that there is to say
    events = sum(isinstance(moment.what, Emit) for moment in performance.moments)
    lengths = iter(paddings(delivery.paddings, events))

    def frame(content: Emit | Raw) -> bytes:
        if isinstance(content, Raw):
            return content.data
        return event_frame(content.type, content.body, next(lengths))

    return stream_beats(performance.moments, frame, delivery)


def stream_beats(
    moments: Iterable[Moment], frame: Frame, delivery: Delivery, headers: HttpHeaders = ()
) -> Iterator[Beat]:
    """The beats of an event-stream response; `headers` come last in its head."""
    stream = _Stream(frame, delivery, headers)
    for moment in moments:
        yield from shaped(stream.beats(moment), moment.shape)


class _Stream:
    """A response as it is sent; the head goes with the first of what needs one."""

    def __init__(self, frame: Frame, delivery: Delivery, headers: HttpHeaders) -> None:
        self._frame = frame
        self._delivery = delivery
        self._headers = headers
        self._headed = False

    def beats(self, moment: Moment) -> Iterator[Beat]:
        match moment.what:
            case Refuse():
                yield from self._delivery.refusal(moment.what, moment.at)
            case Gate() | Hold() | Hangup() | Reset() | Wild() | GoAway() | Head():
                yield Beat(moment.at, moment.what, moment.injected)
            case Tear(at):
                head = self._delivery.stream_head(moment.at, self._headers)
                yield Beat(moment.at, Torn(head, at), moment.injected)
            case Finish():
                yield from self._head(moment.at)
                yield Beat(moment.at, moment.what, moment.injected)
            case Emit() | Raw() | Throw():
                yield from self._head(moment.at)
                yield from befallen(self._sent(moment.what), moment)
            case Trickle(what, every):
                yield from self._trickle(what, every, moment.at)
            case _ as never:
                assert_never(never)

    def _head(self, at: float) -> Iterator[Beat]:
        if not self._headed:
            self._headed = True
            yield Beat(at, self._delivery.stream_head(at, self._headers))

    def _sent(self, content: Emit | Raw | Throw) -> Send:
        """The frame of what is said."""
        match content:
            case Emit():
                return Send(self._frame(content), content.type, content.tokens)
            case Raw():
                return Send(self._frame(content), content.what, content.tokens)
            case Throw(name, kind=kind):
                make = exception_frame if kind == "exception" else error_frame
                return Send(make(name, message_of(content)), name)

    def _trickle(self, what: Trickled, every: float, at: float) -> Iterator[Beat]:
        if what == "interim":
            yield Beat(at, Hold(Head(100, ()), every), injected=True)
            return
        yield from self._head(at)
        if what == "byte":
            yield Beat(at, Send(endless_frame(), "the beginning of a frame without end"), injected=True)
        repeated = {
            "byte": Send(b" ", "a byte"),
            "event": Send(event_frame("keepAlive", {}, None), "an event that nobody knows"),
            "text": Send(event_frame("contentBlockDelta", EMPTY_DELTA, 2), "an empty delta"),
        }
        yield Beat(at, Hold(repeated[what], every), injected=True)


def befallen(send: Send, moment: Moment) -> Iterator[Beat]:
    """A frame, with what befalls it; of one that is not sent an empty send is left, for the journal."""
    torn: int | float | None = None
    pause: Pause | None = None
    times = 1
    for fault in moment.faults:
        match fault:
            case Corrupt(what):
                from converse_emulator.framing.damage import damaged

                told = f"byte {what}" if isinstance(what, int) else what
                send = send._replace(data=damaged(send.data, what), what=f"{send.what}, {told} corrupted")
            case Cut(at):
                from converse_emulator.framing.damage import depth_in

                data = part(send.data, depth_in(send.data, at))
                send = send._replace(data=data, what=f"{send.what}, cut", tokens=0)
            case Drop():
                send = send._replace(data=b"", what=f"{send.what}, dropped", tokens=0)
            case Duplicate():
                times += 1
            case Tear(at):
                torn = at
            case Pause():
                pause = fault
            case Swap():
                pass  # with nobody
            case _ as never:
                assert_never(never)
    if torn is not None:
        yield Beat(moment.at, Torn(send, torn), injected=True)
    elif pause is not None:
        yield from _paused(send, pause, moment.at)
    else:
        yield Beat(moment.at, send, moment.injected)
        again = send._replace(what=f"{send.what}, again", tokens=0)
        yield from [Beat(moment.at, again, injected=True)] * (times - 1)


def _paused(send: Send, pause: Pause, at: float) -> Iterator[Beat]:
    from converse_emulator.framing.damage import depth_in

    first = part(send.data, depth_in(send.data, pause.inside))
    yield Beat(at, send._replace(data=first, what=f"{send.what}, begun", tokens=0), injected=True)
    yield Beat(at + pause.seconds, send._replace(data=send.data[len(first) :]), injected=True)
