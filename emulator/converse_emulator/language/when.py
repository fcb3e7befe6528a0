"""When something happens: for which of the calls that come, how often, with what chance, in which minutes."""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["session", "model", "all"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """From `start` to `end`, in seconds after the first request; again and again with a `period`."""

    start: float
    end: float
    period: float | None = None


@dataclass(frozen=True, slots=True)
class When:
    """Every member that is given must agree. Requests are counted within `per`.

    A call is what an application sees as one: all requests with the same `amz-sdk-invocation-id`, which the
    SDKs keep when they retry; of a client that sends none, the requests with the same messages.
    """

    model: str | None = None  # a glob over the model id
    session: str | None = None  # a glob over the session's name
    from_call: int | None = None  # from the n-th call on, counted from 1
    fraction: float | None = None  # of the calls, evenly spread: 0.25 is every fourth
    attempts: int | None = None  # the first n requests of each call
    during: Schedule | None = None
    probability: float | None = None  # of each request, drawn from the seed
    times: int | None = None  # at most so often
    per: Scope = "session"
