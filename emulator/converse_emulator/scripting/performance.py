"""A reply performed for a request: which events come when, what befalls them, how the response ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from converse_emulator.language.faults import Depth, FrameFault, HeadSays, Tear, Trickle
from converse_emulator.language.scenario import Event, Json, Placed, Refuse, Throw
from converse_emulator.playing import acts


class Emit(NamedTuple):
    """An event of the stream: its type, its payload without padding, the output tokens that end in it."""

    type: str
    body: Mapping[str, Json]
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that go out as they are; `what` names them for people."""

    data: bytes
    what: str = "bytes"
    tokens: int = 0


class Pause(NamedTuple):
    """A frame stops so deep in it for so many seconds; those after it are late already."""

    inside: Depth
    seconds: float


Framed = Emit | Raw | Throw  # what is a frame of the stream
Inserted = acts.Gate | acts.Raw | acts.GoAway | acts.Head  # a head here is an interim one
Ending = acts.Hold | acts.Finish | acts.Hangup | acts.Reset | Refuse | Trickle


class Moment(NamedTuple):
    """What happens `at` seconds after the request. `faults` befall its frame, in order; `shape` is how it
    is sent. A `Tear` is the response's torn head."""

    at: float
    what: Framed | Inserted | Ending | Tear
    injected: bool = False
    faults: tuple[FrameFault | Pause, ...] = ()
    shape: acts.Shape | None = None


class Performance(NamedTuple):
    """Moments in order, `at` never decreasing. The last one is the only `Ending`."""

    moments: tuple[Moment, ...]
    stop_sequence: str | None = None  # the one of the request's that ended the generation
    head: HeadSays | None = None
    by_byte: tuple[Placed, ...] = ()  # what happens at a byte of the body, which is not known yet
    nowhere: tuple[Placed, ...] = ()  # what had no place: the response has no such frame

    @property
    def tokens(self) -> int:
        """Output tokens of the answer."""
        return sum(moment.what.tokens for moment in self.moments if isinstance(moment.what, Emit))


def text_of(event: Emit | Event) -> str:
    """The text that an event brings; empty for all but text deltas."""
    delta = event.body.get("delta") if event.type == "contentBlockDelta" else None
    text = delta.get("text") if isinstance(delta, Mapping) else None
    return text if isinstance(text, str) else ""
