"""A dialect: how one family of handlers is asked, and how it spells canonical events on the wire.

Tolerance lives here and nowhere else. What a dialect cannot read becomes `Unreadable`, never an exception:
the cases judge it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from converse_contract.transcript import Observed


class Seen(NamedTuple):
    """A canonical event and the SSE `id` that it came with, if any."""

    event: Observed
    id: str | None = None


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What to send to the handler. `path` is relative to the handler's URL."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reader(Protocol):
    """Reads one response."""

    def feed(self, data: bytes) -> list[Seen]:
        """The events that these bytes complete, in order."""


class Dialect(Protocol):
    """A family of handlers."""

    def request(self, prompt: str) -> HttpRequest:
        """The request that asks this prompt."""

    def reader(self) -> Reader:
        """A reader for the answer."""

    def message(self, text: str) -> Seen:
        """The event in one message, where an answer comes as messages with numbers and not as a stream."""
