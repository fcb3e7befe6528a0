"""What a play does to a connection, and when: the compiled form of a reply.

Signals are values: nothing here touches a connection. `player` performs acts on a `Wire`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, NamedTuple, overload

HttpHeaders = tuple[tuple[str, str], ...]
Ended = Literal[
    "finished", "hung up", "reset", "client left", "refused", "stopped", "outage"
]  # how an exchange did


class ErrorCode(IntEnum):
    """Why an HTTP/2 stream or connection ends (RFC 9113, section 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers, in wire order and case; a status below 200 is an interim response.

    They say how the body is framed: `Transfer-Encoding: chunked`, or a `Content-Length`, to which the bytes
    that follow need not keep.
    """

    status: int
    headers: HttpHeaders


class Shape(NamedTuple):
    """How bytes of the body come: in chunks by a rule of `segments`, of a size, or `drip` bytes at a time."""

    chunks: str | int = "due"
    drip: int | None = None
    every: float = 0.0  # seconds between two drips


class Send(NamedTuple):
    """Bytes of the body. `what` names them for people, `tokens` counts the output tokens they carry.

    `alone`: in an HTTP chunk (a DATA frame) of their own, even where others are due at the same time.
    `shape` is for the compiler: how they are still to be cut up, or joined.
    """

    data: bytes
    what: str
    tokens: int = 0
    alone: bool = False
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Torn:
    """The first bytes of a head or of a chunk as HTTP frames it, its framing included: `at` bytes of it, or
    below 1 that part. Only an end of the connection can follow."""

    act: Head | Send
    at: int | float


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes on the connection, past all framing of HTTP. `what` names them for people."""

    data: bytes
    what: str


@dataclass(frozen=True, slots=True)
class GoAway:
    """Announce that the connection ends after this response: GOAWAY, of which HTTP/1.1 has only the end."""

    code: ErrorCode = ErrorCode.NO_ERROR


@dataclass(frozen=True, slots=True)
class Gate:
    """Hold until the gate is opened; later beats move by the time it took."""

    name: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold until the client leaves, and meanwhile perform an act every so many seconds."""

    act: "Head | Send | Raw | None" = None
    every: float = 1.0


@dataclass(frozen=True, slots=True)
class Finish:
    """End the body properly (the last chunk)."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the connection (FIN) without ending the body.

    On HTTP/2 the stream alone (RST_STREAM, CANCEL), unless `connection` says all of it.
    """

    connection: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection (RST).

    On HTTP/2 the stream alone (RST_STREAM with `code`), unless `connection` says all of it.
    """

    code: ErrorCode = ErrorCode.INTERNAL_ERROR
    connection: bool = False


Ending = Hold | Finish | Hangup | Reset
Act = Head | Send | Torn | Raw | GoAway | Gate | Ending


class Beat(NamedTuple):
    """An act and its moment: `at` seconds after the request (held gates not counted).

    `injected` marks misbehaviour that the scenario asked for, so that nobody takes it for a bug.
    """

    at: float
    act: Act
    injected: bool = False


class Opened(Sequence[Beat]):
    """A head, and the beats after it, which many plays share: what is long is not copied for each.

    `size` is the number of their bytes of the body.
    """

    __slots__ = ("head", "rest", "size")

    def __init__(self, head: Beat, rest: tuple[Beat, ...], size: int) -> None:
        self.head = head
        self.rest = rest
        self.size = size

    def after(self, place: int) -> tuple[Sequence[Beat], int]:
        """What comes from a place on, for who goes through it: a sequence, and the place in that."""
        return (self.rest, place - 1) if place > 0 else (self, place)

    def __len__(self) -> int:
        return 1 + len(self.rest)

    @overload
    def __getitem__(self, index: int) -> Beat: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Beat, ...]: ...
    def __getitem__(self, index: int | slice) -> Beat | tuple[Beat, ...]:
        if isinstance(index, int) and index > 0:
            return self.rest[index - 1]
        return (self.head, *self.rest)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and (self.head, *self.rest) == tuple(other)

    def __hash__(self) -> int:
        return hash((self.head, *self.rest))


class Timeline(NamedTuple):
    """A compiled reply. `at` never decreases; the last act ends the exchange."""

    beats: Sequence[Beat]
    tokens: int  # output tokens of the whole answer, were it played to its end
    nowhere: tuple[str, ...] = ()  # what the scenario asked for and the response has no place for

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return self.beats.size if isinstance(self.beats, Opened) else size(self.beats)


class Whole(NamedTuple):
    """A compiled reply that is a proper response and due at once, all of it: it can go out in one write.

    `unfolded` is the same, act by act.
    """

    head: Head
    body: bytes
    tokens: int
    unfolded: Callable[[], Timeline]

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.body)


def folded(timeline: Timeline) -> Timeline | Whole:
    """The timeline, as a whole if it is one."""
    first, last, sends = timeline.beats[0], timeline.beats[-1], timeline.beats[1:-1]
    if last.at > 0 or not isinstance(last.act, Finish) or not isinstance(first.act, Head):
        return timeline
    datas = [beat.act.data for beat in sends if isinstance(beat.act, Send) and not beat.act.alone]
    body = b"".join(datas)
    framing = {name.lower(): value for name, value in first.act.headers}
    proper = framing.get("transfer-encoding") == "chunked" or framing.get("content-length") == str(len(body))
    if not proper or len(datas) < len(sends) or first.act.status < 200 or timeline.nowhere:
        return timeline
    return Whole(first.act, body, timeline.tokens, lambda: timeline)


def explain(act: Act) -> str:
    """One line for journals and listings."""
    match act:
        case Head(status):
            return f"head {status}"
        case Send(data, what):
            return f"send {len(data)} B ({what})"
        case Torn(whole, at):
            return f"{explain(whole)}, torn after {f'{at} B' if at >= 1 else f'{at:.0%}'}"
        case Raw(data, what):
            return f"raw {len(data)} B ({what})"
        case GoAway(code):
            return f"go away ({code.name})"
        case Gate(name):
            return f"gate {name}"
        case Hold(None):
            return "hold"
        case Hold(repeated, every):
            assert repeated
            return f"hold, every {every:g} s {explain(repeated)}"
        case Finish():
            return "finish"
        case Hangup(connection):
            return "hang up (FIN)" + (" the connection" if connection else "")
        case Reset(code, connection):
            told = "" if code is ErrorCode.INTERNAL_ERROR else f" with {code.name}"
            return "reset (RST)" + (" the connection" if connection else told)


def size(beats: Sequence[Beat]) -> int:
    """How many bytes of the body they bring."""
    return sum([len(beat.act.data) for beat in beats if isinstance(beat.act, Send)])


def payload(act: Act) -> bytes:
    """The bytes of the body that an act brings whole."""
    return act.data if isinstance(act, Send) else b""


def part(data: bytes, at: int | float) -> bytes:
    """The first `at` bytes or, below 1, that part of them."""
    return data[: max(0, int(at * len(data)) if 0 < at < 1 else int(at))]
