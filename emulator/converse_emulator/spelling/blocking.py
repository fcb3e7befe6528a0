"""A performance as the response of a blocking call: one JSON body when the generation ends.

Converse's body is the fold of the events that a stream would have sent. Literal bytes, where there are any,
are the body instead. Faults mean:

    throw           the HTTP error of that exception (modelStreamErrorException: ModelErrorException, 424)
    finish          the body of what was generated so far, without stopReason and usage
    hangup, reset   the connection ends and nothing was sent
    cut             that part of the body, under the Content-Length of all of it; with `finish` under its own
    tear            the same, of the body as HTTP frames it
    corrupt         a body that is no JSON: its closing brace is a space
    drop            the body without what that event says
    duplicate, swap nothing: the body says what is said once
    trickle         spaces without end before the JSON
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import assert_never

from converse_emulator.choosing.request import Request
from converse_emulator.http.responses import Response, with_headers
from converse_emulator.language.faults import Corrupt, Cut, Drop, Tear, Trickle, Trickled
from converse_emulator.language.scenario import Refuse, Throw
from converse_emulator.playing.acts import (
    Beat,
    Finish,
    Gate,
    GoAway,
    Hangup,
    Head,
    Hold,
    Reset,
    Send,
    Torn,
    part,
)
from converse_emulator.playing.acts import Raw as Wild
from converse_emulator.scripting.performance import Emit, Moment, Performance, Raw
from converse_emulator.spelling.delivery import Delivery, sent
from converse_emulator.spelling.fold import fold
from converse_emulator.spelling.segments import shaped

ENDLESS = 2**31  # bytes of a body that nobody sees the end of
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
        past = moments[:number]
        match moment.what:
            case Emit() | Raw() | Throw():
                if _cuts(moment) or isinstance(moment.what, Throw):
                    answered = True
                    yield from shaped(_answer(past, respond, delivery, own_length=finished), moment.shape)
            case Tear(at):
                yield Beat(moment.at, Torn(delivery.body(b"", moment.at).head, at), moment.injected)
            case Trickle(what, every):
                yield from _trickle(what, every, None if answered else delivery, moment.at)
            case Refuse():
                yield from shaped(delivery.refusal(moment.what, moment.at), moment.shape)
            case Finish():
                if not answered:
                    yield from shaped(_answer(past, respond, delivery, own_length=True), moment.shape)
                yield Beat(moment.at, moment.what, moment.injected)
            case Gate() | Hold() | Hangup() | Reset() | Wild() | GoAway() | Head():
                yield Beat(moment.at, moment.what, moment.injected)
            case _ as never:
                assert_never(never)


def _cuts(moment: Moment) -> bool:
    return any(isinstance(fault, Cut | Tear) for fault in moment.faults)


def _answer(
    past: Sequence[Moment], respond: Respond, delivery: Delivery, *, own_length: bool
) -> Iterator[Beat]:
    """The response to what has happened so far, as far as it is sent."""
    last = past[-1]
    tokens = 0
    past = [moment for moment in past if not any(isinstance(fault, Drop) for fault in moment.faults)]
    if isinstance(last.what, Throw):
        response, what = delivery.thrown(last.what, last.at), last.what.name
    elif literal := [moment.what.data for moment in past if isinstance(moment.what, Raw)]:
        response, what = delivery.body(b"".join(literal), last.at), "bytes"
    else:
        emitted = [moment.what for moment in past if isinstance(moment.what, Emit)]
        response, what = respond(emitted, last.at), "the answer"
        tokens = sum(emit.tokens for emit in emitted)
    faults = [fault for moment in past for fault in moment.faults]
    if any(isinstance(fault, Corrupt) for fault in faults):
        response, what = response._replace(body=response.body[:-1] + b" "), f"{what}, corrupted"
    injected = last.injected or bool(faults)
    for fault in last.faults:
        match fault:
            case Tear(at):
                yield Beat(last.at, response.head, injected)
                yield Beat(last.at, Torn(Send(response.body, what), at), injected=True)
                return
            case Cut(at):
                # A frame's parts are no body's: so much of it as if it were in the middle.
                body = part(response.body, 0.5 if isinstance(at, str) else at)
                response = _cut(response, body, own_length)
                what, tokens = f"{what}, cut", 0
    yield from sent(response, last.at, what, tokens=tokens, injected=injected)


def _cut(response: Response, body: bytes, own_length: bool) -> Response:
    """A response that ends properly must be as long as it says."""
    if not own_length:
        return response._replace(body=body)
    headers = tuple(
        (name, str(len(body)) if name.lower() == "content-length" else value)
        for name, value in response.headers
    )
    return response._replace(headers=headers, body=body)


def _trickle(what: Trickled, every: float, delivery: Delivery | None, at: float) -> Iterator[Beat]:
    """A body of spaces without end, which JSON may begin with; or a head that does not come.

    Without a `delivery` the head and a part of the answer have been sent: the spaces come after that.
    """
    if what == "interim":
        yield Beat(at, Hold(Head(100, ()), every), injected=True)
        return
    if delivery:
        head = delivery.body(b"", at).head
        promised = (("Content-Length", str(ENDLESS)),)
        yield Beat(at, Head(head.status, with_headers(head.headers, promised)), injected=True)
    yield Beat(at, Hold(Send(b" ", "a space"), every), injected=True)
