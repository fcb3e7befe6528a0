"""A reply performed for a request: which events come when, what befalls them, how the response ends."""

from collections.abc import Mapping
from dataclasses import dataclass

from converse_emulator import acts
from converse_emulator.scenario import Corrupt, Cut, Json, Refuse, Throw


@dataclass(frozen=True, slots=True)
class Emit:
    """An event of the stream: its type, its payload without padding, the output tokens that end in it."""

    type: str
    body: Mapping[str, Json]
    tokens: int = 0


Ending = acts.Hold | acts.Finish | acts.Hangup | acts.Reset | Refuse


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens `at` seconds after the request; `corrupt` and `cut` befall its frame."""

    at: float
    what: Emit | Throw | acts.Gate | Ending
    injected: bool = False
    corrupt: Corrupt | None = None
    cut: Cut | None = None


@dataclass(frozen=True, slots=True)
class Performance:
    """Moments in order, `at` never decreasing. The last one is the only `Ending`."""

    moments: tuple[Moment, ...]

    @property
    def tokens(self) -> int:
        """Output tokens of the answer."""
        return sum(moment.what.tokens for moment in self.moments if isinstance(moment.what, Emit))
