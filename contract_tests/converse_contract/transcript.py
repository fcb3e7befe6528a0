"""What arrived at the far end: canonical events with their times, and how the response ended.

Times are seconds since the request was sent; `sent_at` is the epoch time of that moment, so that a
transcript can be laid beside the emulator's journal, whose times are epoch-based too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, assert_never, overload


@dataclass(frozen=True, slots=True)
class Started:
    """The answer begins."""


@dataclass(frozen=True, slots=True)
class BlockStarted:
    """A content block opens; `kind` is text or thinking."""

    index: int
    kind: str


@dataclass(frozen=True, slots=True)
class Text:
    """Text of the answer, for the user to see."""

    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Thinking:
    """Text of the model's reasoning."""

    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class BlockStopped:
    """A content block closes."""

    index: int


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool is being called. `label` is what the user reads meanwhile."""

    id: str
    name: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool call is over. `error` is a code when it is not `ok`."""

    id: str
    name: str
    ok: bool
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """Terminal: the answer is complete, or was cut by a limit (`truncated`)."""

    stop_reason: str
    truncated: bool
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Terminal: something went wrong. `partial` says that text had been shown."""

    code: str
    message: str
    retryable: bool | None
    partial: bool | None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A comment that keeps the connection alive."""


@dataclass(frozen=True, slots=True)
class Sentinel:
    """The dialect's closing mark, `[DONE]`."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that the dialect cannot read, and why."""

    raw: str
    why: str


Observed = (
    Started
    | BlockStarted
    | Text
    | Thinking
    | BlockStopped
    | ToolStarted
    | ToolFinished
    | Finished
    | Failed
    | Heartbeat
    | Sentinel
    | Unreadable
)

E = TypeVar("E")

Ending = Literal["complete", "cut", "we left", "timed out", "no response"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One observed event, when its last byte arrived, and its SSE `id` when it had one."""

    at: float
    event: Observed
    id: str | None = None


def explain(event: Observed) -> str:
    """One line for findings and reports: the event's name and the members that say something."""
    if isinstance(event, Text | Thinking):
        return f"{type(event).__name__} {event.text!r}"
    members = ((member.name, getattr(event, member.name)) for member in fields(event))
    said = ", ".join(f"{name}={value!r}" for name, value in members if value is not None)
    return f"{type(event).__name__}({said})" if said else type(event).__name__


@dataclass(frozen=True, slots=True)
class Transcript:
    """One response as the far end saw it.

    `ending`: the body ended properly, was cut (no last chunk, RST), we left on purpose, the case's time
    limit ran out, or there was no response at all. `raw` is the whole body, `session` the emulator's session
    that answered.
    """

    sent_at: float
    status: int | None
    headers: tuple[tuple[str, str], ...]  # lower-case names, wire order
    arrivals: tuple[Arrival, ...]
    ending: Ending
    ended_at: float
    raw: bytes
    session: str = ""

    @overload
    def of(self, kind: type[E], /) -> Iterator[E]: ...

    @overload
    def of(self, *kinds: type[Observed]) -> Iterator[Observed]: ...

    def of(self, *kinds: type[Any]) -> Iterator[Any]:
        """The observed events of these kinds, in order."""
        return (arrival.event for arrival in self.arrivals if isinstance(arrival.event, kinds))

    @property
    def text(self) -> str:
        """The answer's text as the user saw it."""
        return "".join(event.text for event in self.of(Text))

    def first(self, *kinds: type) -> Arrival | None:
        """The first arrival of these kinds."""
        return next((arrival for arrival in self.arrivals if isinstance(arrival.event, kinds)), None)

    @property
    def terminal(self) -> Finished | Failed | None:
        """The first terminal event."""
        arrival = self.first(Finished, Failed)
        return arrival.event if arrival and isinstance(arrival.event, Finished | Failed) else None

    def header(self, name: str) -> str | None:
        """The value of a response header."""
        return next((value for key, value in self.headers if key == name.lower()), None)


def how_it_ended(transcript: Transcript) -> str:
    """The response's ending as words that complete "then ..."."""
    when = f"at +{transcript.ended_at:.3f} s"
    match transcript.ending:
        case "complete":
            return f"the response ended completely {when}"
        case "cut":
            return f"the connection was cut {when}"
        case "we left":
            return f"the client left {when}"
        case "timed out":
            return f"the response was still open when the case's time limit ran out {when}"
        case "no response":
            return f"the connection was closed without a response {when}"
        case never:
            assert_never(never)
