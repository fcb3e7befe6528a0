"""Which reply a request gets.

In this order: that of the scenario which it names (path, header, marker), what is armed for its session, the
`match` of the user's files, the automatic answer. A scenario that is named or matched goes by turns (see
`turns`); armed replies are used up, one a request. Before these come alternatives, if one holds: a wrap that
throttles, and the scenario's own (see `occasions`). A request that names what is not there, or asks for more
or for other than what is armed, is a miss: it says why, and the session remembers it.
"""

import hashlib
import json
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Literal, NamedTuple

from converse_emulator.choosing.conversation import answers, last_user_text
from converse_emulator.choosing.matching import difference
from converse_emulator.choosing.occasions import Occasions
from converse_emulator.choosing.request import Request
from converse_emulator.choosing.selectors import HEADER, Named, named_scenario, named_wrap
from converse_emulator.choosing.turns import reply_of_try, slot_of_turn
from converse_emulator.errors import Miss, ScenarioError, UnknownScenario
from converse_emulator.language.faults import HeadSays
from converse_emulator.language.library import Library
from converse_emulator.language.scenario import Alternative, Refuse, Reply, Scenario

if TYPE_CHECKING:
    from converse_emulator.language.wrap import Wrap

# Of each the oldest is dropped.
MAX_SESSIONS = 10_000
MAX_MISSES = 100  # of a session
MAX_TRIES = 1_000  # of a session: requests whose retries are counted

ChosenBy = Literal["path", "header", "marker", "armed", "match", "automatic"]


class Selection(NamedTuple):
    """What a request gets."""

    scenario: Scenario | None
    reply: Reply | None  # None: the automatic answer
    chosen_by: ChosenBy
    number: int  # of the session's requests, from 1
    instead: int | None = None  # which of the scenario's alternatives, from 1; 0: the wrap throttles it
    wrap: "Wrap | None" = None  # what is done to it

    def seed(self, run: str, session: str) -> str:
        """The seed of the reply's chances, in the run and the session."""
        name = self.scenario.name if self.scenario else "automatic"
        return f"{run}:{session}:{name}:{self.number}"


class _Found(NamedTuple):
    """What a request gets unless an alternative holds."""

    scenario: Scenario | None
    by: ChosenBy
    name: str  # under which its requests are counted
    use: Callable[[], Reply | None]  # the reply, which is used up by that


@dataclass(slots=True, eq=False, repr=False)
class _Armed:
    """An armed scenario, and how many of its replies are used."""

    scenario: Scenario
    number: int  # of what was armed for the session, from 1
    used: int = 0

    @property
    def left(self) -> int:
        return len(self.scenario.replies) - self.used

    def unconsumed(self) -> str:
        of = f"of {len(self.scenario.replies)} " if self.used else ""
        replies, were = ("reply", "was") if self.left == 1 else ("replies", "were")
        return f"{self.left} {of}{replies} of {self.scenario.name} {were} not asked for"


@dataclass(slots=True, eq=False, repr=False)
class _Session:
    requests: int = 0
    arms: int = 0
    armed: deque[_Armed] = field(default_factory=deque)  # with replies left
    spent: int = 0  # replies used
    misses: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_MISSES))
    tries: OrderedDict[tuple[str, bytes], int] = field(default_factory=OrderedDict)


class Selector:
    """Sessions and their state. Arming may happen in another thread than selecting."""

    def __init__(self, library: Library, seed: str = "0", wrap: "Wrap | None" = None) -> None:
        """`wrap` is for requests that neither bring one nor get what was armed with one."""
        self._library = library
        self._wrap = wrap
        self._occasions = Occasions(seed)
        self._matching = library.matching()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._lock = Lock()

    def arm(self, session: str, scenario: Scenario) -> None:
        """Queues the scenario's replies for the session's next requests."""
        with self._lock:
            state = self._session(session)
            state.arms += 1
            state.armed.append(_Armed(scenario, state.arms))

    def select(self, request: Request, now: float = 0.0) -> Selection:
        """What the request gets that came `now`, in any clock's scripted seconds; raises `Miss`."""
        with self._lock:
            session = self._session(request.session)
            session.requests += 1
            try:
                return self._select(session, request, now)
            except Miss as miss:
                session.misses.append(str(miss))
                raise

    def may_refuse(self, request: Request) -> bool:
        """Whether the scenario that it names, or what is armed next, or a wrap may refuse it before its first
        word. Of what is chosen by its words nobody knows then."""
        with self._lock:
            session = self._sessions.get(request.session, _Session())
            armed, named = session.armed, named_scenario(request)
            if named and named.name in self._library.names():
                scenario = self._library.get(named.name)
                first = slot_of_turn(scenario.replies, 0) if scenario.replies else ()
            elif armed and not named:
                scenario, first = armed[0].scenario, armed[0].scenario.replies[armed[0].used :][:1]
                if scenario.match and difference(request, scenario.match, call=1):
                    return False
            else:
                wrap = named_wrap(request) or self._wrap
                return bool(wrap and wrap.throttle) and not (named or session.spent or self._matching)
            wrap = named_wrap(request) or scenario.wrap or self._wrap
            alternatives = [each.reply for each in scenario.instead]
            return bool(wrap and wrap.throttle) or any(
                isinstance(step, Refuse) for reply in [*first, *alternatives] for step in reply
            )

    def withholds_continue(self, request: Request) -> bool:
        """Whether the scenario that it names by path or header, or what is armed next, says no 100 Continue.
        Its body is still to come, and nobody knows which turn it is."""
        with self._lock:
            armed, named = self._sessions.get(request.session, _Session()).armed, named_scenario(request)
            replies: Sequence[Reply] = ()
            if named and named.name in self._library.names():
                replies = self._library.get(named.name).replies
            elif armed and not named:
                replies = armed[0].scenario.replies[armed[0].used :][:1]
            steps = (step for reply in replies for step in reply)
            return any(isinstance(step, HeadSays) and step.withholds_continue for step in steps)

    def unconsumed(self, session: str) -> list[str]:
        """What was armed and not asked for, a sentence each."""
        with self._lock:
            return [armed.unconsumed() for armed in self._sessions.get(session, _Session()).armed]

    def misses(self, session: str) -> list[str]:
        """The session's misses, oldest first."""
        with self._lock:
            return list(self._sessions.get(session, _Session()).misses)

    def reset(self, session: str | None = None) -> None:
        """Forgets a session, or all of them."""
        with self._lock:
            self._occasions.forget(session)
            if session is None:
                self._sessions.clear()
            else:
                self._sessions.pop(session, None)

    def _session(self, name: str) -> _Session:
        state = self._sessions.get(name)
        if state is None:
            state = self._sessions[name] = _Session()
            if len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        else:
            self._sessions.move_to_end(name)
        return state

    def _select(self, session: _Session, request: Request, now: float) -> Selection:
        found = self._found(session, request)
        scenario = found.scenario
        wrap = named_wrap(request) or (scenario and scenario.wrap) or self._wrap
        throttled: Sequence[Alternative] = ()
        if wrap:
            from converse_emulator.language.wrap_form import throttling  # the grammar takes 50 ms

            throttled = throttling(wrap)
        instead = (*throttled, *(scenario.instead if scenario else ()))
        place = None
        if instead:
            place = self._occasions.alternative(found.name, instead, request, session.requests, now)
        reply = found.use() if place is None else instead[place].reply
        number = None if place is None else place + 1 - len(throttled)
        return Selection(scenario, reply, found.by, session.requests, number, wrap)

    def _found(self, session: _Session, request: Request) -> _Found:
        if named := named_scenario(request):
            scenario = self._named(named)
            return _by_turns(session, request, scenario, named.by, named.since)
        if session.armed or session.spent:
            head = _next_armed(session, request)
            name = f"{head.scenario.name} {head.number}"
            return _Found(head.scenario, "armed", name, lambda: _use_up(session))
        call = answers(request.body) + 1
        for scenario in self._matching:
            if scenario.match and not difference(request, scenario.match, call=call):
                return _by_turns(session, request, scenario, "match")
        return _Found(None, "automatic", "", lambda: None)

    def _named(self, named: Named) -> Scenario:
        asked = {"path": "path", "header": f"header {HEADER}", "marker": "marker in the prompt"}[named.by]
        try:
            return self._library.get(named.name)
        except UnknownScenario as error:
            every = f"GET /_emulator/scenarios lists all {len(self._library.names())}."
            raise Miss(f"{error} It was asked for by the {asked}. {every}") from error
        except ScenarioError as error:
            raise Miss(
                f"The scenario {named.name!r}, asked for by the {asked}, cannot be read. {error}"
            ) from error


def _by_turns(
    session: _Session, request: Request, scenario: Scenario, by: ChosenBy, since: int = 0
) -> _Found:
    """The reply of a scenario that is aware of turns, which count from message number `since` on."""

    def use() -> Reply | None:
        return _reply(session, scenario, request, since) if scenario.replies else None

    return _Found(scenario, by, scenario.name, use)


def _reply(session: _Session, scenario: Scenario, request: Request, since: int) -> Reply:
    """The reply of this turn. Tries are counted only where they matter."""
    slot = slot_of_turn(scenario.replies, answers(request.body, since))
    if len(slot) == 1:
        return slot[0]
    messages = json.dumps(request.body.get("messages"), sort_keys=True)
    key = scenario.name, hashlib.sha256(messages.encode()).digest()
    attempt = session.tries.pop(key, 0)
    session.tries[key] = attempt + 1
    if len(session.tries) > MAX_TRIES:
        session.tries.popitem(last=False)
    return reply_of_try(slot, attempt)


def _next_armed(session: _Session, request: Request) -> _Armed:
    """What is armed next; raises `Miss` if there is none, or it is not for the request."""
    where = f"session {request.session!r}"
    if not session.armed:
        said = last_user_text(request.body)[:80]
        raise Miss(
            f"Nothing is left for {where}: of {session.spent} armed replies all are used, "
            f"and this is its request number {session.requests} ({said!r})."
        )
    head = session.armed[0]
    scenario = head.scenario
    if scenario.match and (found := difference(request, scenario.match, call=answers(request.body) + 1)):
        reasons = "; ".join(map(str, found))
        raise Miss(f"What is armed next for {where}, {scenario.name}, is not for this request. {reasons}.")
    return head


def _use_up(session: _Session) -> Reply:
    """The next armed reply."""
    head = session.armed[0]
    reply = head.scenario.replies[head.used]
    head.used += 1
    session.spent += 1
    if not head.left:
        session.armed.popleft()
    return reply
