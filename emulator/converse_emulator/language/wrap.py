"""What is done to any reply from outside, without touching its scenario."""

from dataclasses import dataclass, fields
from typing import Literal

End = Literal["hangup", "finish", "reset"]


@dataclass(frozen=True, slots=True)
class Wrap:
    """Durations are seconds. What is None is left as it is."""

    slow: float | None = None  # every moment comes so many times as late
    jitter: float | None = None  # each send comes up to so much later, in order still
    bandwidth: float | None = None  # bytes of the body a second
    corrupt: int | Literal["any"] | None = None  # the frame whose checksum is wrong, from 1
    cut: float | None = None  # only this part of the body's bytes is sent
    end: End = "hangup"  # after the cut
    throttle: float | None = None  # the part of the calls that is refused, evenly spread

    def as_text(self) -> str:
        """The wrap as a header or a command line says it."""
        said = ((each.name, getattr(self, each.name)) for each in fields(self))
        return ",".join(
            f"{name}={value}" for name, value in said if value is not None and (name != "end" or self.cut)
        )
