"""A performance as an event stream: what is sent is a frame each, the head goes with the first of them."""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import assert_never

from converse_emulator.choosing.request import Request
from converse_emulator.framing.frames import (
    corrupted,
    draw_paddings,
    error_frame,
    event_frame,
    exception_frame,
)
from converse_emulator.language.scenario import Refuse, Throw
from converse_emulator.playing.acts import Beat, Finish, Gate, Hangup, Hold, HttpHeaders, Reset, Send, part
from converse_emulator.scripting.performance import Emit, Moment, Performance, Raw
from converse_emulator.spelling.delivery import Delivery, message_of

Frame = Callable[[Emit | Raw], bytes]


def converse_stream(
    performance: Performance, request: Request, delivery: Delivery, rng: Random
) -> Iterator[Beat]:
    """The beats of a ConverseStream response: each event a frame, literal bytes as they are."""
    del request  # the events are all that there is to say
    events = sum(isinstance(moment.what, Emit) for moment in performance.moments)
    paddings = iter(draw_paddings(rng, events))

    def frame(content: Emit | Raw) -> bytes:
        if isinstance(content, Raw):
            return content.data
        return event_frame(content.type, content.body, next(paddings))

    return stream_beats(performance.moments, frame, delivery)


def stream_beats(
    moments: Iterable[Moment], frame: Frame, delivery: Delivery, headers: HttpHeaders = ()
) -> Iterator[Beat]:
    """The beats of an event-stream response; `headers` come last in its head."""
    headed = False
    for moment in moments:
        match moment.what:
            case Refuse():
                yield from delivery.refusal(moment.what, moment.at)
            case Gate() | Hold() | Hangup() | Reset():
                yield Beat(moment.at, moment.what, moment.injected)
            case Emit() | Raw() | Throw() | Finish():
                if not headed:
                    headed = True
                    yield delivery.stream_head(moment.at, headers)
                act = moment.what if isinstance(moment.what, Finish) else _sent(moment, moment.what, frame)
                if not isinstance(act, Send) or act.data:  # a frame cut to nothing is not sent
                    yield Beat(moment.at, act, moment.injected)
            case _ as never:
                assert_never(never)


def _sent(moment: Moment, content: Emit | Raw | Throw, frame: Frame) -> Send:
    """The frame of a moment, with what befalls it."""
    match content:
        case Emit():
            what, tokens, data = content.type, content.tokens, frame(content)
        case Raw():
            what, tokens, data = content.what, content.tokens, frame(content)
        case Throw(name, kind=kind):
            make = exception_frame if kind == "exception" else error_frame
            what, tokens, data = name, 0, make(name, message_of(content))
        case _ as never:
            assert_never(never)
    if moment.corrupt:
        data, what = corrupted(data, moment.corrupt.what), f"{what}, {moment.corrupt.what} corrupted"
    if moment.cut:
        data, what, tokens = part(data, moment.cut.at), f"{what}, cut", 0
    return Send(data, what, tokens)
