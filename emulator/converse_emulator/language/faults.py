"""Faults below the words: what befalls frames, what befalls the connection, and where.

`scenario` has those that end a reply, `framing.damage` what a damaged frame looks like. Durations are
seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from converse_emulator.playing.acts import ErrorCode

FramePart = Literal["prelude", "prelude_crc", "headers", "payload", "message_crc"]
Depth = int | float | FramePart  # bytes into a frame, below 1 that part of it, or the middle of its part


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a response: on a frame, or at a byte, a moment, a fraction of it. Numbers count from 1.

    A frame is told by its number, or as the n-th of its kind: the type of an event, or the kind of content
    that a delta brings. A negative number counts from the end.
    """

    event: str | None = None
    number: int = 1
    block: int | str | None = None  # the content block it is in: its index, or the name of its tool
    frame: int | None = None
    inside: Depth | None = None  # the middle of the frame: so deep in it
    byte: int | None = None  # after so many bytes of the body
    time: float | None = None
    fraction: float | None = None  # of the frames
    after: bool = False  # behind the frame, not on it or before it


# ----------------------------------------------------------------------------------- one frame


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Damage the next frame: `what` is a row of `framing.damage`, or the byte that is inverted."""

    what: str | int


@dataclass(frozen=True, slots=True)
class Drop:
    """The next frame is not sent."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The next frame is sent twice."""


@dataclass(frozen=True, slots=True)
class Swap:
    """The next frame and the one after it change places."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Send only the first bytes of the next frame. What follows says how the connection ends; alone it is
    `finish`."""

    at: Depth


@dataclass(frozen=True, slots=True)
class Tear:
    """As `Cut`, but HTTP's own framing is cut: a chunk that is shorter than it says, half of the head.

    `head`: the response's head, not the next frame. Only the connection's end can follow.
    """

    at: int | float
    head: bool = False


FrameFault = Corrupt | Drop | Duplicate | Swap | Cut | Tear

# ------------------------------------------------------------------------------ what is inserted


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that the service model does not know, or with a body that it does not allow."""

    type: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Wild:
    """Bytes on the connection, past all framing of HTTP."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Interim:
    """An interim response (100 Continue, 103 Early Hints) before the head."""

    status: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """Announce that the connection ends after this response."""

    code: ErrorCode = ErrorCode.NO_ERROR


Insert = Unknown | Wild | Interim | GoAway

# ----------------------------------------------------------------------- how the response is sent

Chunking = Literal["due", "frames", "code_points"]
Length = Literal["chunked", "exact", "too_long", "too_short"] | int


@dataclass(frozen=True, slots=True)
class Chunks:
    """How frames come in HTTP chunks from here on: a rule, or so many bytes each, of whatever frame."""

    how: Chunking | int


@dataclass(frozen=True, slots=True)
class Drip:
    """So many bytes at a time from here on."""

    bytes: int
    every: float


@dataclass(frozen=True, slots=True)
class HeadSays:
    """Another head than the body needs: what is given replaces what is usual."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    length: Length | None = None
    gzip: bool = False
    withholds_continue: bool = False  # from who waits for it before the body


Delivery = Chunks | Drip | HeadSays

# ------------------------------------------------------------------------------------ what ends it

Trickled = Literal["interim", "event", "text", "byte"]


@dataclass(frozen=True, slots=True)
class Trickle:
    """Until the client leaves, something that is no answer: it keeps read timeouts from firing."""

    what: Trickled
    every: float = 1.0
