"""The ways of asking a handler: one function for each drive of a case."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, assert_never

import httpx

from converse_contract.case import (
    Ask,
    AskWrongly,
    Cancel,
    ComeBack,
    Drive,
    FetchMissed,
    InTurn,
    Leave,
    Probe,
    ReadSlowly,
    StepGates,
    Together,
    Trespass,
)
from converse_contract.checks.place import where_held
from converse_contract.delivery.drives import over_a_path
from converse_contract.hop_state import HopState
from converse_contract.listen import HandlerUnreachable, Listener, Target
from converse_contract.transcript import Text, ToolStarted, Transcript
from converse_contract.upstream import Upstream

GATE_LIMIT = 5.0  # seconds
PROBE_EVERY = 0.1  # seconds
LATE = 0.5  # seconds after a tool's time limit in which a call may still come that should not


@dataclass(frozen=True, slots=True)
class Driven:
    """What a drive saw."""

    transcripts: tuple[Transcript, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Driver:
    """Performs drives against one handler. `scenario` is the name of a library scenario, or None: armed.

    `states` tells what the hops in front of the handler did for a session so far; `patience` is how many
    seconds text has to come through while the model is held.
    """

    target: Target
    client: httpx.AsyncClient
    upstream: Upstream
    states: Callable[[str], tuple[HopState, ...]] = lambda _session: ()
    patience: float = GATE_LIMIT

    async def perform(self, drive: Drive, sessions: tuple[str, ...], scenario: str | None) -> Driven:
        """Ask as the drive says; `sessions` has a name for each request of `Together`, else one."""
        session = sessions[0]
        match drive:
            case Ask():
                return Driven((await self._listener().listen(session, scenario),))
            case Leave(once):
                listener = self._listener()
                return await _beside(listener.listen(session, scenario), self._leave(once, listener, session))
            case Together():
                async with _tasks() as tasks:
                    answers = [tasks.create_task(self._listener().listen(one, scenario)) for one in sessions]
                return Driven(tuple(answer.result() for answer in answers))
            case InTurn(times):
                return Driven(tuple([await self._listener().listen(session, scenario) for _ in range(times)]))
            case StepGates(gates):
                listener = self._listener()
                return await _beside(listener.listen(session, scenario), self._step(gates, listener, session))
            case Probe():
                listener = self._listener()
                return await _beside(listener.listen(session, scenario), self._probe(listener, session))
            case ComeBack() | AskWrongly() | ReadSlowly() | Cancel() | Trespass() | FetchMissed():
                return Driven(*await over_a_path(drive, self._listener, session, scenario))
            case _ as never:
                assert_never(never)

    def _listener(self) -> Listener:
        return self.target.listener(self.client)

    async def _leave(self, once: str, listener: Listener, session: str) -> Mapping[str, Any]:
        """Leave at the moment; where it does not come, the response ends by itself."""
        if once == "called":
            await self.upstream.called(session, self.target.quiet, lambda: listener.over)
        else:
            await listener.until(lambda: listener.saw(Text if once == "text" else ToolStarted))
        listener.leave()
        if once == "tool":
            await asyncio.sleep(self.target.limits.tool + LATE)
        return {}

    async def _step(self, gates: tuple[str, ...], listener: Listener, session: str) -> Mapping[str, Any]:
        """Open each gate once its text was seen; where it is not, say where, and open the rest."""
        before = ""
        for number, gate in enumerate(gates):
            reached = await self.upstream.holds_at(session, gate, self.target.quiet, lambda: listener.over)
            exchanges = await self.upstream.exchanges(session)
            sent = "".join(exchange["text_sent"] for exchange in exchanges)
            shown = await listener.shows_more_than(before, sent, self.patience)
            if not reached or not shown or listener.over:
                seen = before if listener.over else listener.text  # what came with the end came too late
                hops = self.states(session)
                place = {"stalled_place": where_held(hops, exchanges)} if hops else {}
                for rest in gates[number:]:
                    await self.upstream.open_gate(session, rest)
                return {"stalled_gate": gate, "stalled_sent": sent, "stalled_seen": seen, **place}
            before = listener.text
            await self.upstream.open_gate(session, gate)
        return {}

    async def _probe(self, listener: Listener, session: str) -> Mapping[str, Any]:
        """The slowest answer of the health page from the call of Bedrock to the response's end."""
        url = self.target.url.rstrip("/") + self.target.probe_path
        slowest = 0.0
        await self.upstream.called(session, self.target.quiet, lambda: listener.over)
        while True:
            begun = time.monotonic()
            try:
                async with asyncio.timeout(self.target.quiet):
                    await self.client.get(url)
            except TimeoutError:
                pass
            except httpx.TransportError as error:
                raise HandlerUnreachable(f"no answer from {url}: {error or type(error).__name__}") from error
            slowest = max(slowest, time.monotonic() - begun)
            if listener.over:
                return {"probe_seconds": slowest}
            await asyncio.sleep(PROBE_EVERY)


async def _beside(
    listening: Coroutine[Any, Any, Transcript], watching: Coroutine[Any, Any, Mapping[str, Any]]
) -> Driven:
    async with _tasks() as tasks:
        transcript, notes = tasks.create_task(listening), tasks.create_task(watching)
    return Driven((transcript.result(),), notes.result())


@asynccontextmanager
async def _tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that raises what went wrong first, not a group of it."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
