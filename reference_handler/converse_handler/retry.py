"""When a call of Bedrock is made again, and after how long.

Only while the browser knows nothing of it: a model cannot resume, so a second call says everything anew.
The SDK's own retries are off, or the two would multiply.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retries:
    """`attempts` is the total number of calls; `backoff` the scale of the pauses, in seconds."""

    attempts: int
    backoff: float

    def allow(self, attempt: int, *, started: bool) -> bool:
        """Whether a further attempt may follow number `attempt` (from 1); `started`: an event was sent."""
        return not started and attempt < self.attempts

    def pause(self, attempt: int, chance: float, asked_for: float = 0.0) -> float:
        """Seconds before the next attempt: full jitter, `chance` of [0, 1) of an exponentially growing span.

        Never less than the service `asked_for`.
        """
        return max(asked_for, chance * self.backoff * 2.0 ** (attempt - 1))
