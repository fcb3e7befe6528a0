"""A performance as the response of a blocking call: one JSON body when the generation ends.

Converse's body is the fold of the events that a stream would have sent. Literal bytes, where there are any,
are the body instead. Faults mean:

    throw           the HTTP error of that exception (modelStreamErrorException: ModelErrorException, 424)
    finish          the body of what was generated so far, without stopReason and usage
    hangup, reset   the connection ends and nothing was sent
    cut             that part of the body, under the Content-Length of all of it; with `finish` under its own
    corrupt         a body that is no JSON: its closing brace is a space
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import assert_never

from converse_emulator.choosing.request import Request
from converse_emulator.http.responses import Response
from converse_emulator.language.scenario import Refuse, Throw
from converse_emulator.playing.acts import Beat, Finish, Gate, Hangup, Hold, Reset, part
from converse_emulator.scripting.performance import Emit, Moment, Performance, Raw
from converse_emulator.spelling.delivery import Delivery, sent
from converse_emulator.spelling.fold import fold

Respond = Callable[[Sequence[Emit], float], Response]  # what was said, at the moment of the response


def converse(performance: Performance, request: Request, delivery: Delivery, rng: Random) -> Iterator[Beat]:
    """The beats of a Converse response."""
    del request, rng  # the events are all that there is to say

    def respond(said: Sequence[Emit], at: float) -> Response:
        return delivery.json(fold((emit.type, emit.body) for emit in said), at)

    return blocking_beats(performance.moments, respond, delivery)


def blocking_beats(moments: Sequence[Moment], respond: Respond, delivery: Delivery) -> Iterator[Beat]:
    """The beats of a response with one body."""
    finished = isinstance(moments[-1].what, Finish)
    answered = False
    for number, moment in enumerate(moments, 1):
        match moment.what:
            case Emit() | Raw() | Throw():
                if moment.cut or isinstance(moment.what, Throw):
                    answered = True
                    yield from _answer(moments[:number], respond, delivery, own_length=finished)
            case Refuse():
                yield from delivery.refusal(moment.what, moment.at)
            case Finish():
                if not answered:
                    yield from _answer(moments[:number], respond, delivery, own_length=True)
                yield Beat(moment.at, moment.what, moment.injected)
            case Gate() | Hold() | Hangup() | Reset():
                yield Beat(moment.at, moment.what, moment.injected)
            case _ as never:
                assert_never(never)


def _answer(
    past: Sequence[Moment], respond: Respond, delivery: Delivery, *, own_length: bool
) -> Iterator[Beat]:
    """The response to what has happened so far, as far as it is sent."""
    last = past[-1]
    tokens = 0
    if isinstance(last.what, Throw):
        response, what = delivery.thrown(last.what, last.at), last.what.name
    elif literal := [moment.what.data for moment in past if isinstance(moment.what, Raw)]:
        response, what = delivery.body(b"".join(literal), last.at), "bytes"
    else:
        emitted = [moment.what for moment in past if isinstance(moment.what, Emit)]
        response, what = respond(emitted, last.at), "the answer"
        tokens = sum(emit.tokens for emit in emitted)
    if any(moment.corrupt for moment in past):
        response, what = replace(response, body=response.body[:-1] + b" "), f"{what}, corrupted"
    if last.cut:
        response = _cut(response, part(response.body, last.cut.at), own_length)
        what, tokens = f"{what}, cut", 0
    injected = last.injected or any(moment.corrupt for moment in past)
    yield from sent(response, last.at, what, tokens=tokens, injected=injected)


def _cut(response: Response, body: bytes, own_length: bool) -> Response:
    """A response that ends properly must be as long as it says."""
    if not own_length:
        return replace(response, body=body)
    headers = tuple(
        (name, str(len(body)) if name.lower() == "content-length" else value)
        for name, value in response.headers
    )
    return replace(response, headers=headers, body=body)
