"""A timeline as a wrap changes it: later, at a bandwidth, with a broken frame, cut. All of it is injected."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from random import Random

from converse_emulator.framing.damage import damaged
from converse_emulator.language.wrap import End, Wrap
from converse_emulator.playing.acts import Beat, Finish, Hangup, Reset, Send, payload

PIECE = 0.05  # seconds of bandwidth that go out at a time
ENDS: dict[End, Finish | Hangup | Reset] = {"hangup": Hangup(), "finish": Finish(), "reset": Reset()}
SMALLEST = 16  # bytes of a frame: prelude and checksum

Beats = Sequence[Beat]


def wrapped(beats: Beats, wrap: Wrap, rng: Random) -> Beats:
    """The beats under the wrap, in scripted seconds; they stay in order. A frame is one send here."""
    if wrap.corrupt is not None:
        beats = _corrupt(beats, wrap.corrupt, rng)
    if wrap.cut is not None and wrap.cut < 1:
        beats = _cut(beats, wrap.cut, ENDS[wrap.end])
    if wrap.slow is not None:
        beats = [beat._replace(at=beat.at * wrap.slow) for beat in beats]
    if wrap.jitter is not None:
        beats = _jitter(beats, wrap.jitter, rng)
    if wrap.bandwidth is not None:
        beats = list(_at_bandwidth(beats, wrap.bandwidth))
    return beats


def _corrupt(beats: Beats, which: int | str, rng: Random) -> Beats:
    """One frame with a wrong checksum; a response without frames stays as it is."""
    frames = [i for i, beat in enumerate(beats) if isinstance(beat.act, Send) and _is_frame(beat.act.data)]
    place = int(rng.random() * len(frames)) if which == "any" else int(which) - 1
    if place >= len(frames):
        return beats
    number = frames[place]
    data = damaged(payload(beats[number].act), "message_crc")
    broken = _instead(beats[number], data, "message_crc corrupted")
    return [*beats[:number], broken, *beats[number + 1 :]]


def _is_frame(data: bytes) -> bool:
    """Whole, that is: its first number is its length. What is left out, or cut by its scenario, is not."""
    return len(data) >= SMALLEST and int.from_bytes(data[:4], "big") == len(data)


def _cut(beats: Beats, part: float, end: Finish | Hangup | Reset) -> Beats:
    """The first part of the body's bytes, and an end."""
    left = int(part * sum(len(beat.act.data) for beat in beats if isinstance(beat.act, Send)))
    kept: list[Beat] = []
    for beat in beats:
        if isinstance(beat.act, Send) and len(beat.act.data) > left:
            if left:
                kept.append(_instead(beat, beat.act.data[:left], "cut", tokens=0))
            return [*kept, Beat(beat.at, end, injected=True)]
        left -= len(beat.act.data) if isinstance(beat.act, Send) else 0
        kept.append(beat)
    return kept


def _instead(beat: Beat, data: bytes, what: str, tokens: int | None = None) -> Beat:
    """A send with other bytes."""
    assert isinstance(beat.act, Send)
    tokens = beat.act.tokens if tokens is None else tokens
    return beat._replace(act=Send(data, f"{beat.act.what}, {what}", tokens), injected=True)


def _jitter(beats: Beats, most: float, rng: Random) -> Beats:
    late = (beat.at + (rng.random() * most if isinstance(beat.act, Send) else 0.0) for beat in beats)
    return [beat._replace(at=at) for beat, at in zip(beats, accumulate(late, max), strict=True)]


def _at_bandwidth(beats: Beats, rate: float) -> Iterator[Beat]:
    """Each byte takes its time, and waits for those before it."""
    size, free = max(1, int(rate * PIECE)), 0.0
    for beat in beats:
        at = max(beat.at, free)
        if not isinstance(beat.act, Send) or not beat.act.data:
            yield beat._replace(at=at)
            continue
        data, what, tokens = beat.act.data, beat.act.what, beat.act.tokens
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            at += len(piece) / rate
            last = start + size >= len(data)
            yield beat._replace(at=at, act=Send(piece, what, tokens if last else 0))
        free = at
