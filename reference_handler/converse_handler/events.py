"""What a browser is told about one answer, whatever carries it there: the canonical events.

In order: `Started`; then content blocks and tool calls; then exactly one terminal event, `Finished` or
`Failed`. At most one block is open at a time, and block indices count from 0 through the whole answer.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "thinking"]


@dataclass(frozen=True, slots=True)
class Started:
    """The answer begins. `id` is ours, and the log has its beginning."""

    id: str


@dataclass(frozen=True, slots=True)
class BlockStarted:
    """A content block opens."""

    index: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Text:
    """More text of the answer; never empty."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """More of the model's reasoning; never empty, and no part of the answer."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class BlockStopped:
    """The open block closes."""

    index: int


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool runs; `label` says so in words for the user."""

    id: str
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool call is over. `error` is None or `unknown_tool`, `invalid_input`, `failed`, `timeout`."""

    id: str
    name: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of all the answer's calls of Bedrock together."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Finished:
    """Terminal: the model said that it is done. `truncated`: a limit cut it. `usage`: None if unknown."""

    stop_reason: str
    truncated: bool
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Failed:
    """Terminal: the answer is not complete. `partial`: some of its text was shown."""

    code: str
    message: str
    retryable: bool
    partial: bool


Event = (
    Started | BlockStarted | Text | Thinking | BlockStopped | ToolStarted | ToolFinished | Finished | Failed
)
