"""A turn of the model as beats: what a reply of a scenario is in an open session.

The head has gone out before, so a refusal is an exception in the stream. What ends a reply properly ends no
session; what a script ends, ends it.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING

from converse_emulator.choosing.request import Request
from converse_emulator.dialogue.sonic import Speech, name_of
from converse_emulator.framing.frames import chunk_frame, draw_padding
from converse_emulator.http.responses import canonical_json
from converse_emulator.language.faults import Cut, Tear
from converse_emulator.language.scenario import Json, Refuse, Reply, Throw
from converse_emulator.playing.acts import Beat, Finish, Head, Timeline
from converse_emulator.scripting.performance import Emit, Moment, Raw
from converse_emulator.scripting.script import perform
from converse_emulator.spelling.delivery import Delivery
from converse_emulator.spelling.fold import fold
from converse_emulator.spelling.streaming import stream_beats
from converse_emulator.spelling.timeline import as_sent
from converse_emulator.spelling.wrapping import wrapped

if TYPE_CHECKING:
    from converse_emulator.language.wrap import Wrap


def compile_turn(
    reply: Reply,
    request: Request,
    rng: Random,
    speech: Speech,
    delivery: Delivery,
    wrap: "tuple[Wrap, Random] | None" = None,
) -> tuple[Timeline, Json]:
    """The timeline of the reply, and the message that it is in Converse's terms (None: it says nothing).

    The timeline ends with an act that ends the session only if the script, or the wrap (which has chance of
    its own), has it so.
    """
    performance = perform(reply, request, rng, silent=_silent)
    said = [moment.what for moment in performance.moments if isinstance(moment.what, Emit)]

    def frame(content: Emit | Raw) -> bytes:
        assert isinstance(content, Raw)  # `_spelt` leaves no events
        return chunk_frame(content.data, draw_padding(rng))

    beats: Sequence[Beat] = tuple(stream_beats(_spelt(performance.moments, speech), frame, delivery))
    if wrap:
        beats = wrapped(beats, *wrap)
    sent = as_sent(beats, performance, rng, delivery.speed)
    kept = tuple(beat for beat in sent.beats if not isinstance(beat.act, Head) and not _just_ends(beat))
    message = fold((emit.type, emit.body) for emit in said).get("output", {}).get("message")
    return sent._replace(beats=kept), message


def _just_ends(beat: Beat) -> bool:
    return isinstance(beat.act, Finish) and not beat.injected


def _silent(emit: Emit) -> bool:
    """Tells the events of Converse that make none of Sonic's."""
    return emit.type == "contentBlockStart" or bool(
        {"reasoningContent", "toolUse"} & emit.body.get("delta", {}).keys()
    )


def _spelt(moments: tuple[Moment, ...], speech: Speech) -> Iterator[Moment]:
    """The moments with Sonic's events in place of Converse's; what befalls one befalls the first of them."""
    for moment in moments:
        match moment.what:
            case Refuse(name, message):
                error = name[:1].lower() + name[1:]
                yield moment._replace(what=Throw(error, message))
                yield Moment(moment.at, Finish(), injected=True)
            case Emit() as emit:
                yield from _chunks(moment, emit, list(speech.event(emit)))
            case _:
                yield moment


def _chunks(moment: Moment, emit: Emit, documents: list[Json]) -> Iterator[Moment]:
    for number, document in enumerate(documents, 1):
        tokens = emit.tokens if number == len(documents) else 0
        yield moment._replace(what=Raw(canonical_json(document), name_of(document), tokens))
        if any(isinstance(fault, Cut | Tear) for fault in moment.faults):
            return
        moment = moment._replace(injected=False, faults=())
