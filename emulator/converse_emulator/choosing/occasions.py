"""Which of a scenario's alternatives a request gets: calls and attempts counted, conditions looked at."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from converse_emulator.choosing.request import INVOCATION, Request
from converse_emulator.language.scenario import Alternative

if TYPE_CHECKING:
    from converse_emulator.language.when import Schedule, Scope, When

# Of each the oldest is dropped.
MAX_COUNTS = 10_000
MAX_CALLS = 1_000  # of a count: calls whose attempts are counted


class Occasion(NamedTuple):
    """A request among others. Numbers count from 1; `since` is seconds after the first request."""

    request: Request
    call: int
    attempt: int
    since: float
    draw: float  # from 0 to below 1


def holds(when: "When", at: Occasion, times: int) -> bool:
    """Whether the condition holds on the occasion, having held `times` times before."""
    return (
        (when.model is None or fnmatchcase(at.request.model_id, when.model))
        and (when.session is None or fnmatchcase(at.request.session, when.session))
        and (when.from_call is None or at.call >= when.from_call)
        and (when.fraction is None or int(at.call * when.fraction) > int((at.call - 1) * when.fraction))
        and (when.attempts is None or at.attempt <= when.attempts)
        and (when.during is None or _within(when.during, at.since))
        and (when.probability is None or at.draw < when.probability)
        and (when.times is None or times < when.times)
    )


def _within(schedule: "Schedule", since: float) -> bool:
    now = since if schedule.period is None else since % schedule.period
    return schedule.start <= now < schedule.end


def call_of(request: Request) -> str:
    """What the requests of one call have in common."""
    if invocation := request.headers.get(INVOCATION):
        return invocation
    said = json.dumps(request.body.get("messages"), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


@dataclass(slots=True, eq=False, repr=False)
class _Count:
    """The requests so far, within one scope."""

    first: float
    calls: int = 0
    attempts: OrderedDict[str, tuple[int, int]] = field(default_factory=OrderedDict)  # number, attempts
    held: dict[int, int] = field(default_factory=dict)  # alternative to how often it was played

    def add(self, request: Request) -> tuple[int, int]:
        """The number of the request's call, and of its attempt."""
        name = call_of(request)
        number, attempts = self.attempts.pop(name, (0, 0))
        if not number:
            self.calls += 1
            number = self.calls
        self.attempts[name] = number, attempts + 1
        if len(self.attempts) > MAX_CALLS:
            self.attempts.popitem(last=False)
        return number, attempts + 1


_Key = tuple[str, "Scope", str]  # the scenario, what is counted within, and its name


class Occasions:
    """What the alternatives of all scenarios need to know of the requests before. Not safe across threads."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._counts: OrderedDict[_Key, _Count] = OrderedDict()

    def alternative(
        self, name: str, instead: Sequence[Alternative], request: Request, number: int, now: float
    ) -> int | None:
        """The place of the first alternative that holds. The request is the session's `number`-th.

        `name` is what counts are kept under; `now` is any clock's scripted seconds. Each request is to be
        asked about once: it is counted.
        """
        scopes = dict.fromkeys(each.when.per for each in instead)
        counts = {scope: self._count((name, scope, _within_scope(scope, request)), now) for scope in scopes}
        numbers = {scope: count.add(request) for scope, count in counts.items()}
        rng = Random(f"{self._seed}:{request.session}:{name}:{number}:instead")
        for place, each in enumerate(instead):
            count = counts[each.when.per]
            occasion = Occasion(request, *numbers[each.when.per], now - count.first, rng.random())
            if holds(each.when, occasion, count.held.get(place, 0)):
                count.held[place] = count.held.get(place, 0) + 1
                return place
        return None

    def forget(self, session: str | None = None) -> None:
        """Begins anew, for one session or altogether."""
        for key in list(self._counts):
            if session is None or key[1:] == ("session", session):
                del self._counts[key]

    def _count(self, key: _Key, now: float) -> _Count:
        count = self._counts.setdefault(key, _Count(now))
        self._counts.move_to_end(key)
        if len(self._counts) > MAX_COUNTS:
            self._counts.popitem(last=False)
        return count


def _within_scope(scope: "Scope", request: Request) -> str:
    return {"session": request.session, "model": request.model_id, "all": ""}[scope]
