"""A reply compiled for a request: bytes and moments, the same ones for the same seed.

ConverseStream sends a performance event by event; Converse sends the fold of the same events (`blocking`).
"""

from collections.abc import Iterator
from random import Random
from typing import assert_never

from converse_emulator import ids
from converse_emulator.acts import Beat, Finish, Gate, Hangup, Hold, Reset, Send, Timeline
from converse_emulator.blocking import blocking_beats
from converse_emulator.delivery import Delivery, part, text_of
from converse_emulator.frames import corrupted, draw_padding, error_frame, event_frame, exception_frame
from converse_emulator.performance import Emit, Moment, Performance
from converse_emulator.request import Request
from converse_emulator.scenario import Refuse, Reply, Throw
from converse_emulator.script import perform


def compile_reply(reply: Reply, request: Request, *, seed: str, now: float, speed: float = 1.0) -> Timeline:
    """The timeline of `reply` to `request`, which arrived at `now` (epoch seconds).

    `speed` divides every moment; what the response says of its own duration stays as scripted.
    """
    rng = Random(seed)
    delivery = Delivery(ids.request_id(rng), now, speed)
    performance = perform(reply, request, rng)
    if request.operation == "Converse":
        beats = blocking_beats(performance, delivery)
    else:
        beats = _stream_beats(performance, delivery, rng)
    scaled = (Beat(beat.at / speed, beat.act, beat.injected) for beat in beats)
    return Timeline(tuple(scaled), performance.tokens)


def _stream_beats(performance: Performance, delivery: Delivery, rng: Random) -> Iterator[Beat]:
    """The beats of an event-stream response; the head goes with the first thing that is sent."""
    headed = False
    for moment in performance.moments:
        match moment.what:
            case Refuse():
                yield from delivery.refusal(moment.what, moment.at)
            case Gate() | Hold() | Hangup() | Reset():
                yield Beat(moment.at, moment.what, moment.injected)
            case Emit() | Throw() | Finish():
                if not headed:
                    headed = True
                    yield delivery.stream_head(moment.at)
                act = moment.what if isinstance(moment.what, Finish) else _frame(moment, moment.what, rng)
                if not isinstance(act, Send) or act.data:  # a frame cut to nothing is not sent
                    yield Beat(moment.at, act, moment.injected)
            case _ as never:
                assert_never(never)


def _frame(moment: Moment, content: Emit | Throw, rng: Random) -> Send:
    """The frame of a moment, with what befalls it."""
    if isinstance(content, Emit):
        what, tokens = content.type, content.tokens
        data = event_frame(content.type, content.body, draw_padding(rng))
    else:
        what, tokens = content.name, 0
        make = exception_frame if content.kind == "exception" else error_frame
        data = make(content.name, text_of(content))
    if moment.corrupt:
        data, what = corrupted(data, moment.corrupt.what), f"{what}, {moment.corrupt.what} corrupted"
    if moment.cut:
        data, what, tokens = part(data, moment.cut), f"{what}, cut", 0
    return Send(data, what, tokens)
