"""What a native format of a family of models is: how its requests are read and how its answers are spelt.

native request ─read─▶ the same for Converse ─▶ … ─▶ a performance ─spell─▶ native body or chunks
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from converse_emulator.choosing.request import Request
from converse_emulator.errors import EmulatorError
from converse_emulator.language.scenario import Json
from converse_emulator.scripting.guardrail_trace import INTERVENED
from converse_emulator.scripting.performance import Emit

Body = Mapping[str, Json]
Document = dict[str, Json]  # with keys in the order in which they are sent


class Unspeakable(EmulatorError):
    """A reply says what the model's native format has no words for."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"{what} cannot be said in the format of {name}; Converse can say it, and `bytes:` anything"
        )


class Unstreamable(EmulatorError):
    """A stream of a model that has none."""

    def __init__(self) -> None:
        super().__init__("The model is unsupported for streaming.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of an answer before it is spelt."""

    request: Request
    rng: Random
    created: int  # seconds since the epoch
    usage: Mapping[str, Json]  # as Converse tells it
    stop_sequence: str | None  # that of the request's which ends it
    reason: str = ""  # why it ends; empty: it does not
    trace: Mapping[str, Json] | None = None  # what a guardrail reports
    latency: int = 0  # milliseconds

    @property
    def native(self) -> Body:
        """The request as it came."""
        return self.request.native or {}

    @property
    def sent(self) -> int:
        """Input tokens."""
        return int(self.usage.get("inputTokens", 0))

    @property
    def said(self) -> int:
        """Output tokens."""
        return int(self.usage.get("outputTokens", 0))

    @property
    def guardrail_action(self) -> Document:
        """Whether a guardrail stepped in, where the request names one."""
        intervened = self.reason == INTERVENED
        if not intervened and "guardrailConfig" not in self.request.body:
            return {}
        return {"amazon-bedrock-guardrailAction": "INTERVENED" if intervened else "NONE"}

    @property
    def guardrail(self) -> Document:
        """The members that a guardrail adds to a body or to the final chunk."""
        return self.guardrail_action | (
            {"amazon-bedrock-trace": {"guardrail": self.trace}} if self.trace else {}
        )


class Speech(Protocol):
    """Spells one streamed answer."""

    def event(self, emit: Emit) -> Iterator[Document]:
        """The chunks that an event is; those of the metadata event are the last ones."""


def joined(previous: Document, final: Document) -> Document:
    """The chunk before the last with what the last one knows more."""
    return previous | {key: value for key, value in final.items() if value not in (None, "")}


# The events that are no chunk where an answer is nothing but text and an end.
UNSPOKEN = ("messageStart", "contentBlockStart", "contentBlockStop", "messageStop")


def unspoken(emit: Emit) -> bool:
    """Tells those events."""
    return emit.type in UNSPOKEN


def silent(*types: str) -> Callable[[Emit], bool]:
    """Tells the events of these types, and deltas of a text or an input that are empty."""

    def is_silent(emit: Emit) -> bool:
        return emit.type in types or emit.body.get("delta") in ({"text": ""}, {"toolUse": {"input": ""}})

    return is_silent


Join = Callable[[Document, Document], Document | None]


@dataclass(frozen=True, slots=True)
class Format:
    """A native format.

    `requires`: the members of a request that must be there, and their JSON types. `silent` tells the events
    that make no chunk. `join` makes the final chunk one with the one before it; without one, or where it
    gives None, it stays apart.
    """

    requires: Mapping[str, type]
    read: Callable[[Body], Body]
    body: Callable[[Answer, Body], Document]  # of the answer as a Converse response
    speech: Callable[[Answer], Speech] | None = None  # None: not to be streamed
    silent: Callable[[Emit], bool] | None = None
    join: Join | None = None
    caches: bool = False  # cache counts are told even when they are none
    converse: bool = False  # its requests are as Converse has them, and judged so
    speaks: bool = True  # it answers with words
