"""Replies compiled again and again: what does not depend on the request's own chance is made once.

A performance that draws nothing is the same for every request that says the same about it; its frames differ
by their paddings only, of which there are sixteen sequences. So it is kept in each of these.
What comes out is what `compile_reply` makes, byte for byte.
"""

import json
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from converse_emulator.choosing.request import Request
from converse_emulator.framing.frames import event_frame, paddings
from converse_emulator.http.content import once
from converse_emulator.language.scenario import Json, Reply
from converse_emulator.playing.acts import (
    Beat,
    Finish,
    Head,
    Opened,
    Send,
    Timeline,
    Whole,
    folded,
    payload,
    size,
)
from converse_emulator.scripting.performance import Emit, Moment, Performance
from converse_emulator.scripting.tokens import count_request
from converse_emulator.spelling.delivery import Delivery
from converse_emulator.spelling.timeline import compile_reply, performed, spelt

if TYPE_CHECKING:
    from converse_emulator.language.wrap import Wrap

MOST_MOMENTS = 16_384  # of the performances that are kept, together; about a kilobyte each
MOST_FRAMES = 32_768  # of those; about half a kilobyte each

# What a performance takes from a request's messages and system prompts is how many tokens they have.
_COUNTED = frozenset({"messages", "system"})
# With these it takes more.
_TAKES_MORE = frozenset({"guardrailConfig", "additionalModelResponseFieldPaths"})


class Compiler:
    """Compiles replies, at one speed. It keeps performances and frames until there are too many."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._moments = 0
        self._frames = 0

    def compile(
        self, reply: Reply, request: Request, *, seed: str, now: float, wrap: "Wrap | None" = None
    ) -> Timeline | Whole:
        """As `compile_reply`, folded."""
        if wrap is not None:
            return folded(compile_reply(reply, request, seed=seed, now=now, speed=self._speed, wrap=wrap))
        delivery = Delivery.drawn(seed, now, self._speed)
        key = _what_counts(reply, request)
        if key is None or (kept := self._kept.get(key)) is None:
            rng = Random(seed)
            before = rng.getstate()
            performance = performed(reply, request, rng)
            if key is not None and rng.getstate() == before:
                self._keep(key, _Kept(reply, performance, _frames_of(performance, request, self._speed)))
            return folded(spelt(performance, request, delivery, rng))
        if kept.frames is None:
            return folded(spelt(kept.performance, request, delivery, Random(seed)))
        before_frames = kept.frames.made
        compiled = kept.frames.compiled(delivery)
        self._frames += kept.frames.made - before_frames
        if self._frames > MOST_FRAMES:
            self._kept.clear()
            self._moments = self._frames = 0
        return compiled

    def _keep(self, key: Hashable, kept: "_Kept") -> None:
        self._kept[key] = kept
        self._moments += len(kept.performance.moments)
        while self._moments > MOST_MOMENTS:
            _, oldest = self._kept.popitem(last=False)
            self._moments -= len(oldest.performance.moments)
            self._frames -= oldest.frames.made if oldest.frames else 0


@once
def _says(body: Mapping[str, Json]) -> tuple[str, int] | None:
    """What a performance takes from a body; None: better not to say."""
    if not _TAKES_MORE.isdisjoint(body):
        return None
    others = {name: value for name, value in body.items() if name not in _COUNTED}
    return json.dumps(others), count_request(body)


def _what_counts(reply: Reply, request: Request) -> Hashable | None:
    """The same for requests whose performances of `reply` are the same; None: better not to say."""
    if request.native is not None or request.cache is not None or (said := _says(request.body)) is None:
        return None
    return id(reply), request.operation, request.model, said


class _Variant(NamedTuple):
    """The frames of a performance with one sequence of paddings, and its end."""

    beats: tuple[Beat, ...]
    size: int
    body: bytes  # empty for a stream that is not due at once: nobody needs it

    def after(self, head: Beat, tokens: int) -> Timeline:
        return Timeline(Opened(head, self.beats, self.size), tokens)


class _Frames:
    """A performance of whole events as a stream, in every variant."""

    def __init__(self, moments: Sequence[Moment], tokens: int, speed: float) -> None:
        self.made = 0
        self._events, self._end = moments[:-1], moments[-1]
        self._tokens = tokens
        self._speed = speed
        self._variants: dict[int, _Variant] = {}

    def compiled(self, delivery: Delivery) -> Timeline | Whole:
        """The stream with the delivery's paddings."""
        variant = self._variants.get(delivery.paddings) or self._make(delivery.paddings)
        first = self._events[0].at
        head = Beat(first / self._speed, delivery.stream_head(first))
        if not variant.body:
            return variant.after(head, self._tokens)
        assert isinstance(head.act, Head)
        return Whole(head.act, variant.body, self._tokens, partial(variant.after, head, self._tokens))

    def _make(self, number: int) -> _Variant:
        beats = []
        for moment, padding in zip(self._events, paddings(number, len(self._events)), strict=True):
            assert isinstance(moment.what, Emit)
            frame = event_frame(moment.what.type, moment.what.body, padding)
            beats.append(Beat(moment.at / self._speed, Send(frame, moment.what.type, moment.what.tokens)))
        body = b"" if self._end.at > 0 else b"".join(payload(beat.act) for beat in beats)
        end = Beat(self._end.at / self._speed, Finish())
        self._variants[number] = made = _Variant((*beats, end), size(beats), body)
        self.made += len(beats)
        return made


class _Kept(NamedTuple):
    reply: Reply  # so that no other gets its id
    performance: Performance
    frames: _Frames | None


def _frames_of(performance: Performance, request: Request, speed: float) -> _Frames | None:
    """None where there is more to it than whole events and a proper end."""
    *events, end = performance.moments
    if performance.head or performance.by_byte or performance.nowhere:
        return None
    plain = (
        request.operation == "ConverseStream"
        and isinstance(end.what, Finish)
        and not end.injected
        and events
        and all(isinstance(each.what, Emit) and not each.injected and not each.shape for each in events)
    )
    return _Frames(performance.moments, performance.tokens, speed) if plain else None
