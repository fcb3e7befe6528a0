"""How the bytes of a body come: frames joined, cut up, one by one, or a few bytes at a time.

due          what is due at the same time comes together, as from real Bedrock
frames       each frame in a chunk of its own
code_points  cut in the middle of every code point of several bytes
a number     chunks of so many bytes, whatever frame they are of, as a proxy with a buffer sends them
"""

import re
from collections.abc import Iterable, Iterator

from converse_emulator.playing.acts import Beat, Send, Shape

_LONG_CODE_POINT = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def segmented(beats: Iterable[Beat]) -> Iterator[Beat]:
    """The beats with every send as its shape says; none has a shape any more."""
    free = 0.0  # when the last drip has come
    held = _Held()
    for beat in beats:
        if not isinstance(beat.act, Send) or beat.act.shape is None or not beat.act.data:
            yield from held.rest(beat.at)
            yield beat._replace(at=max(beat.at, free))
            continue
        shape, send = beat.act.shape, beat.act._replace(shape=None)
        beat = beat._replace(at=max(beat.at, free), act=send)
        if shape.drip is not None:
            yield from held.rest(beat.at)
            for number, piece in enumerate(_pieces(send, _every(send.data, shape.drip))):
                free = beat.at + number * shape.every
                yield Beat(free, piece, injected=True)
        elif isinstance(shape.chunks, int):
            yield from held.add(beat, send, shape.chunks)
        elif shape.chunks == "due":
            yield beat
        else:
            ends = _in_code_points(send.data) if shape.chunks == "code_points" else []
            pieces = _pieces(send, [*ends, len(send.data)])
            yield from (Beat(beat.at, piece, injected=True) for piece in pieces)


class _Held:
    """What fills a chunk of a given size that is not full yet."""

    def __init__(self) -> None:
        self._data = b""
        self._what = ""
        self._tokens = 0

    def add(self, beat: Beat, send: Send, size: int) -> Iterator[Beat]:
        """The chunks that are full now."""
        left = send.data
        while left:
            taken, left = left[: size - len(self._data)], left[size - len(self._data) :]
            self._data += taken
            self._what = self._what or send.what
            self._tokens += 0 if left else send.tokens
            if len(self._data) >= size:
                yield from self.rest(beat.at)

    def rest(self, at: float) -> Iterator[Beat]:
        """What is held, if anything is."""
        if self._data:
            yield Beat(at, Send(self._data, self._what, self._tokens, alone=True), injected=True)
        self._data, self._what, self._tokens = b"", "", 0


def _every(data: bytes, size: int) -> list[int]:
    return [*range(size, len(data), size), len(data)]


def _in_code_points(data: bytes) -> list[int]:
    """The offsets after the first byte of every code point of several bytes."""
    return [found.start() + 1 for found in _LONG_CODE_POINT.finditer(data)]


def _pieces(send: Send, ends: list[int]) -> Iterator[Send]:
    """The send in pieces that end there; its tokens come with the last one."""
    start = 0
    for end in ends:
        last = end == len(send.data)
        yield send._replace(data=send.data[start:end], tokens=send.tokens if last else 0, alone=True)
        start = end


def shaped(beats: Iterable[Beat], shape: Shape | None) -> Iterator[Beat]:
    """The beats, their sends to come in that shape."""
    for beat in beats:
        yield (
            beat._replace(act=beat.act._replace(shape=shape))
            if isinstance(beat.act, Send) and shape
            else beat
        )
