"""The three timeouts of a stream, as arithmetic on moments (seconds of one monotonic clock).

    answer began          call began           an event          an event
    |---------------------|--------------------|-----------------|------ …
    |                     |<--- first byte --->|<- between bytes ->|
    |<---------------------------- total ------------------------------- …

The first-byte time counts per call of Bedrock and covers connecting, headers and the first event; retries
of a call share it, because the user waits through all of them. The total covers everything, tools too.
"""

from dataclasses import dataclass, replace
from typing import Literal

TimeoutCode = Literal["first_byte_timeout", "between_bytes_timeout", "total_timeout"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Durations in seconds."""

    first_byte: float
    between_bytes: float
    total: float


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when to wait, and which failure it is when that has passed."""

    at: float
    code: TimeoutCode


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Where an answer stands. `heard_at` is None until the current call's first event."""

    limits: Limits
    answer_began: float
    call_began: float
    heard_at: float | None = None

    def calling(self, now: float) -> "Deadlines":
        """A further call of Bedrock begins."""
        return replace(self, call_began=now, heard_at=None)

    def heard(self, now: float) -> "Deadlines":
        """An event has come and is dealt with; from now on the next one is waited for."""
        return replace(self, heard_at=now)

    @property
    def total(self) -> Deadline:
        """The end of the whole answer."""
        return Deadline(self.answer_began + self.limits.total, "total_timeout")

    @property
    def next(self) -> Deadline:
        """Whichever comes first."""
        if self.heard_at is None:
            silence = Deadline(self.call_began + self.limits.first_byte, "first_byte_timeout")
        else:
            silence = Deadline(self.heard_at + self.limits.between_bytes, "between_bytes_timeout")
        return min(self.total, silence, key=lambda deadline: deadline.at)
