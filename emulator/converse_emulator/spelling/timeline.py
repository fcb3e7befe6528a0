"""A reply compiled for a request: bytes and moments, the same ones for the same seed."""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Reply
from converse_emulator.playing.acts import Beat, Hold, Timeline
from converse_emulator.scripting.performance import Performance
from converse_emulator.scripting.script import perform
from converse_emulator.spelling.by_byte import at_bytes
from converse_emulator.spelling.delivery import Delivery
from converse_emulator.spelling.heads import with_head
from converse_emulator.spelling.operations import generation
from converse_emulator.spelling.response_fields import with_response_fields
from converse_emulator.spelling.segments import segmented

if TYPE_CHECKING:
    from converse_emulator.language.wrap import Wrap

SHORTEST = 0.001  # seconds between two acts of a hold, whatever the speed


def compile_reply(
    reply: Reply,
    request: Request,
    *,
    seed: str,
    now: float,
    speed: float = 1.0,
    wrap: "Wrap | None" = None,
) -> Timeline:
    """The timeline of `reply` to `request`, which arrived at `now` (epoch seconds).

    `wrap` changes what was scripted; `speed` then divides every moment. What the response says of its own
    duration stays as scripted.
    """
    rng = Random(seed)
    delivery = Delivery.drawn(seed, now, speed)
    performance = performed(reply, request, rng)
    return spelt(
        performance, request, delivery, rng, None if wrap is None else (wrap, Random(f"{seed}:wrap"))
    )


def performed(reply: Reply, request: Request, rng: Random) -> Performance:
    """What is said, whatever its bytes."""
    row = generation(request.operation)
    performance = perform(reply, request, rng, silent=row.silent(request) if row.silent else None)
    return with_response_fields(performance, request)


def spelt(
    performance: Performance,
    request: Request,
    delivery: Delivery,
    rng: Random,
    wrap: "tuple[Wrap, Random] | None" = None,
) -> Timeline:
    """The bytes of what is said, under a wrap with chance of its own."""
    row = generation(request.operation)
    beats: Sequence[Beat] = tuple(row.beats(performance, request, delivery, rng))
    if wrap is not None:
        from converse_emulator.spelling.wrapping import wrapped

        beats = wrapped(beats, *wrap)
    return as_sent(beats, performance, rng, delivery.speed)


def as_sent(beats: Sequence[Beat], performance: Performance, rng: Random, speed: float) -> Timeline:
    """The beats under the head that was asked for, with what happens at bytes, in the chunks they come in."""
    if performance.head:
        beats = with_head(beats, performance.head)
    beats, nowhere = at_bytes(beats, performance.by_byte, rng)
    scaled = tuple(_scaled(beat, speed) for beat in segmented(beats))
    return Timeline(scaled, performance.tokens, tuple(map(repr, (*performance.nowhere, *nowhere))))


def _scaled(beat: Beat, speed: float) -> Beat:
    act = beat.act
    if isinstance(act, Hold) and act.act:
        act = Hold(act.act, max(act.every / speed, SHORTEST))
    return Beat(beat.at / speed, act, beat.injected)
