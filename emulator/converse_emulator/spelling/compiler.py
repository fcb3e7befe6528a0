"""Replies compiled again and again: what does not depend on the request's own chance is made once.

A performance that draws nothing is the same for every request that says the same about it; its frames differ
by their padding only, which is one of sixty lengths. So a timeline is put together from frames that are kept.
What comes out is what `compile_reply` makes, byte for byte.
"""

import json
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from converse_emulator.choosing.request import Request
from converse_emulator.framing.frames import LONGEST, draw_paddings, event_frame
from converse_emulator.http.content import once
from converse_emulator.language.scenario import Json, Reply
from converse_emulator.language.wrap import Wrap
from converse_emulator.playing.acts import Beat, Finish, Send, Timeline, Whole, folded
from converse_emulator.scripting import ids
from converse_emulator.scripting.performance import Emit, Moment, Performance
from converse_emulator.scripting.tokens import count_request
from converse_emulator.spelling.delivery import Delivery
from converse_emulator.spelling.timeline import compile_reply, performed, spelt

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
        self, reply: Reply, request: Request, *, seed: str, now: float, wrap: Wrap | None = None
    ) -> Timeline | Whole:
        """As `compile_reply`, folded."""
        if wrap is not None:
            return folded(compile_reply(reply, request, seed=seed, now=now, speed=self._speed, wrap=wrap))
        rng = Random(seed)
        delivery = Delivery(ids.request_id(rng), now, self._speed)
        key = _what_counts(reply, request)
        if key is None or (kept := self._kept.get(key)) is None:
            before = rng.getstate()
            performance = performed(reply, request, rng)
            if key is not None and rng.getstate() == before:
                self._keep(key, _Kept(reply, performance, _frames_of(performance, request, self._speed)))
            return folded(spelt(performance, request, delivery, rng))
        if kept.frames is None:
            return folded(spelt(kept.performance, request, delivery, rng))
        before_frames = kept.frames.made
        compiled = kept.frames.compiled(delivery, rng)
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


class _Frames:
    """A performance of whole events as a stream: the frame of each event with every padding."""

    def __init__(self, moments: Sequence[Moment], tokens: int, speed: float) -> None:
        self.made = 0
        self._events = moments[:-1]
        self._tokens = tokens
        self._speed = speed
        self._frames: list[list[bytes]] = [[b""] * (LONGEST + 1) for _ in self._events]
        self._beats: list[list[Beat | None]] = [[None] * (LONGEST + 1) for _ in self._events]
        self._end = Beat(moments[-1].at / speed, Finish())

    def compiled(self, delivery: Delivery, rng: Random) -> Timeline | Whole:
        """The stream with the paddings that come next."""
        paddings = draw_paddings(rng, len(self._events))
        first = self._events[0].at
        head = delivery.stream_head(first)
        if self._end.at > 0:
            return self._timeline(Beat(first, head), paddings)
        frames = [row[padding] for row, padding in zip(self._frames, paddings, strict=True)]
        if not all(frames):
            frames = [frame or self._frame(n, paddings[n]) for n, frame in enumerate(frames)]
        unfolded = partial(self._timeline, Beat(first, head), paddings)
        return Whole(head, b"".join(frames), self._tokens, unfolded)

    def _timeline(self, head: Beat, paddings: Sequence[int]) -> Timeline:
        found = [row[padding] for row, padding in zip(self._beats, paddings, strict=True)]
        beats = (beat or self._beat(n, paddings[n]) for n, beat in enumerate(found))
        return Timeline((replace(head, at=head.at / self._speed), *beats, self._end), self._tokens)

    def _frame(self, number: int, padding: int) -> bytes:
        emit = self._events[number].what
        assert isinstance(emit, Emit)
        if not self._frames[number][padding]:
            self._frames[number][padding] = event_frame(emit.type, emit.body, padding)
            self.made += 1
        return self._frames[number][padding]

    def _beat(self, number: int, padding: int) -> Beat:
        moment = self._events[number]
        assert isinstance(moment.what, Emit)
        send = Send(self._frame(number, padding), moment.what.type, moment.what.tokens)
        beat = Beat(moment.at / self._speed, send)
        self._beats[number][padding] = beat
        return beat


@dataclass(frozen=True, slots=True)
class _Kept:
    reply: Reply  # so that no other gets its id
    performance: Performance
    frames: _Frames | None = field(compare=False)


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
