"""What a request holds of its quotas; `quotas` itself is imported only where there are any."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from converse_emulator.http.refusals import ServiceError

if TYPE_CHECKING:
    from converse_emulator.admission.quotas import Account

What = Literal["requests", "tokens", "connections"]


class Throttled(ServiceError):
    """A request beyond a quota; `why` has the numbers."""

    def __init__(self, what: What, why: str) -> None:
        name = "ServiceUnavailableException" if what == "connections" else "ThrottlingException"
        super().__init__(name, f"Too many {what}, please wait before trying again.")
        self.why = why


class Need(NamedTuple):
    """What a request takes of a quota: `reserved` tokens at first."""

    input: int
    reserved: int
    burndown: float


NOTHING = Need(0, 0, 1.0)


@dataclass(slots=True, eq=False, repr=False)
class Lease:
    """What a request holds, until it is settled; nothing if no quota is its."""

    need: Need = NOTHING
    accounts: "Sequence[Account]" = ()
    cached: int = 0  # input tokens that were read from a cache

    def settle(self, output: int | None, now: float) -> None:
        """The request has ended, with so many output tokens; `None`: it was refused, and costs no tokens."""
        for account in self.accounts:
            account.running -= 1
            rate = account.quota.burndown or self.need.burndown
            used = 0.0 if output is None else self.need.input - self.cached + output * rate
            account.tokens.refill(now)
            account.tokens.left += self.need.reserved - used
            account.tokens.refill(now)
