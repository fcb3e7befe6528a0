"""What the model says and how it fails, as data: a scenario is replies, a reply is steps.

Nothing here does anything. `loader` makes scenarios from YAML, `script` plays a reply's steps against a
request, `timeline` turns the result into bytes and moments. Durations are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from converse_emulator.language import faults
from converse_emulator.playing.acts import ErrorCode

if TYPE_CHECKING:
    from converse_emulator.language.when import When
    from converse_emulator.language.wrap import Wrap

Json = Any  # a JSON value: None | bool | int | float | str | list[Json] | dict[str, Json]


class Forever(Enum):
    """The length of a wait that never ends."""

    FOREVER = "forever"


FOREVER = Forever.FOREVER


class Span(NamedTuple):
    """A duration drawn at random between two bounds (seconds), from the run's seed."""

    shortest: float
    longest: float


Duration = float | Span

# `usual`: in deltas as long as the model's family usually sends
Cutting = Literal["tokens", "words", "characters", "whole", "usual"]
Split = Cutting | tuple[str, ...]  # a rule, or the pieces literally

# ---------------------------------------------------------------------------------------------- content


@dataclass(frozen=True, slots=True)
class Text:
    """Text of the answer. Adjacent text steps share one content block."""

    text: str
    every: Duration | None = None  # between two deltas; None: what the last `every` step set
    split: Split | None = None  # None: what the last `split` step set


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A reasoning block: its text and then its signature, or redacted bytes alone."""

    text: str = ""
    signature: str | None = None
    redacted: bytes | None = None
    every: Duration | None = None
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call, one content block. `input` as a string is sent literally, broken JSON included."""

    name: str
    input: Json = field(default_factory=dict)
    id: str | None = None  # None: made from the seed, in the form of the model's family
    type: str | None = None  # None: `server_tool_use` for a system tool of the request, if it has any
    every: Duration | None = None
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a system tool gave, said by the model's side: one content block with one delta."""

    content: tuple[Json, ...]  # blocks {text: …} and {json: …}
    status: str | None = "success"
    id: str | None = None  # None: that of the last tool call
    type: str | None = None  # None: the name of the last tool call and `_result`


@dataclass(frozen=True, slots=True)
class Citation:
    """Where the following text comes from; `members` as the service model has them (title, location, …)."""

    members: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Image:
    """An image, one content block with one delta."""

    data: bytes
    format: str = "png"


@dataclass(frozen=True, slots=True)
class Event:
    """Any event of the service model, literally: `type` is its `:event-type`, `body` its payload."""

    type: str
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes, literally: a chunk or body of InvokeModel, elsewhere a part of the response's body.

    A reply whose content is bytes alone has nothing implied around them.
    """

    data: bytes


# ------------------------------------------------------------------------------------------------- pace


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing happens for a while; before the first content not even headers are sent."""

    duration: Duration | Forever


@dataclass(frozen=True, slots=True)
class Every:
    """The time before each further delta (the first delta of a reply comes at once)."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class SplitBy:
    """How the following content is cut into deltas."""

    split: Split


@dataclass(frozen=True, slots=True)
class Gate:
    """Hold here until the gate is opened from outside; what follows is timed from the opening."""

    name: str


# -------------------------------------------------------------------------------------------------- end


@dataclass(frozen=True, slots=True)
class Stop:
    """End the message with this stop reason. Without it: `tool_use` after a tool call, else `end_turn`."""

    reason: str
    fields: Mapping[str, Json] | None = None  # additionalModelResponseFields


@dataclass(frozen=True, slots=True)
class Usage:
    """Members of the metadata event's `usage` that replace the counted ones."""

    members: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Metadata:
    """Further members of the metadata event (trace, performanceConfig, serviceTier, metrics)."""

    members: Mapping[str, Json]


# ----------------------------------------------------------------------------- refusals and exceptions


@dataclass(frozen=True, slots=True)
class Refuse:
    """An HTTP error instead of a stream. `name` is an exception's name, modelled or of authentication."""

    name: str
    message: str | None = None  # None: the text real Bedrock sends
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Throw:
    """An exception frame in the stream, after which the response ends.

    `kind` "exception" has `name` in `:exception-type`; "error" is the unmodelled form with `:error-code`.
    """

    name: str
    message: str | None = None
    kind: Literal["exception", "error"] = "exception"


# ------------------------------------------------------------------------------------- how it ends


@dataclass(frozen=True, slots=True)
class Finish:
    """End the response here as if it were complete: the last chunk is sent, no messageStop."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the connection (FIN) without the last chunk; on HTTP/2 the stream, or `connection`: all of it."""

    connection: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection (RST); on HTTP/2 the stream, with this code, or `connection`: all of it."""

    code: ErrorCode = ErrorCode.INTERNAL_ERROR
    connection: bool = False


Content = Text | Reasoning | ToolUse | ToolResult | Citation | Image | Event | Bytes
Pace = Wait | Every | SplitBy | Gate
End = Stop | Usage | Metadata
Break = Refuse | Throw | Finish | Hangup | Reset | faults.Trickle  # nothing comes after it
Fault = Break | faults.FrameFault | faults.Insert | faults.Delivery


@dataclass(frozen=True, slots=True)
class Placed:
    """A step that happens not where it stands in the list but at a place of the response."""

    step: "Fault | Wait | Gate | Event | Bytes"
    place: faults.Place


Step = Content | Pace | End | Fault | Placed

Reply = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a scenario is for. Every member that is given must agree."""

    operation: str | None = None  # as in the service model: ConverseStream
    model: str | None = None  # a glob over the model id
    prompt: str | None = None  # occurs in the last user text, case ignored; /…/ is a regular expression
    tool_result: str | None = None  # the name of a tool whose result the last message brings
    call: int | None = None  # the n-th call of the conversation, from 1
    header: Mapping[str, str] = field(default_factory=dict)  # name to glob


class Alternative(NamedTuple):
    """A reply that is played instead, for the requests that `when` tells."""

    when: "When"
    reply: Reply


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named script: replies, one per turn of the conversation, the last one repeating.

    Where there are none, and no alternative holds, the emulator answers by itself.
    """

    name: str  # topic/name for a file, a description for an armed one
    title: str
    handlers: str  # what a good handler does about it
    replies: tuple[Reply, ...]
    match: Match | None = None
    instead: tuple[Alternative, ...] = ()  # the first one that holds is played, and uses up no reply
    wrap: "Wrap | None" = None  # what arming does to whatever is played
