"""A reply compiled for a request: bytes and moments, the same ones for the same seed."""

from collections.abc import Iterable
from random import Random

from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Reply
from converse_emulator.language.wrap import Wrap
from converse_emulator.playing.acts import Beat, Timeline
from converse_emulator.scripting import ids
from converse_emulator.scripting.script import perform
from converse_emulator.spelling.delivery import Delivery
from converse_emulator.spelling.operations import GENERATIONS
from converse_emulator.spelling.response_fields import with_response_fields
from converse_emulator.spelling.wrapping import wrapped


def compile_reply(
    reply: Reply,
    request: Request,
    *,
    seed: str,
    now: float,
    speed: float = 1.0,
    wrap: Wrap | None = None,
) -> Timeline:
    """The timeline of `reply` to `request`, which arrived at `now` (epoch seconds).

    `wrap` changes what was scripted; `speed` then divides every moment. What the response says of its own
    duration stays as scripted.
    """
    rng = Random(seed)
    delivery = Delivery(ids.request_id(rng), now, speed)
    spelt = GENERATIONS[request.operation]
    performance = perform(reply, request, rng, silent=spelt.silent(request) if spelt.silent else None)
    performance = with_response_fields(performance, request)
    beats: Iterable[Beat] = spelt.beats(performance, request, delivery, rng)
    if wrap is not None:
        beats = wrapped(tuple(beats), wrap, Random(f"{seed}:wrap"))
    scaled = (Beat(beat.at / speed, beat.act, beat.injected) for beat in beats)
    return Timeline(tuple(scaled), performance.tokens)
