"""Runs cases: arm the emulator, ask the handler, wait for the emulator to be done, judge.

Cases run side by side, each in sessions of its own, so a run takes about as long as its slowest case.
"""

import asyncio
import shlex
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import asdict, replace
from typing import Protocol

import httpx

from converse_contract.case import CAPABILITIES, Case, Evidence, Limits, Together
from converse_contract.drive import GATE_LIMIT, Driver
from converse_contract.hop_state import HopState
from converse_contract.listen import HandlerUnreachable, Target
from converse_contract.serving import DidNotStart
from converse_contract.upstream import EmulatorUnreachable, ScenarioRefused, Upstream, session_name
from converse_contract.verdict import Outcome, Result, Results, Verdict, judge

AT_ONCE = 8  # cases that begin; more would measure this machine instead of the handler
BEGINNING = 2.0  # seconds: what takes longer mostly waits, and takes nobody's place
SETTLING = 3.0  # seconds for the emulator's side to end after the response has
EARLIER = 0.75
LONGEST_TOTAL = 60.0  # seconds: a longer declared total is not waited for

Progress = Callable[[Result], None]


class FarEnd(Protocol):
    """Where the answers arrive, and what was on their way."""

    @property
    def target(self) -> Target: ...

    def states(self, session: str) -> tuple[HopState, ...]:
        """What each hop did for this session so far, the browser's end first."""


class Ways(Protocol):
    """The way from the handler to where it is asked, where that differs from case to case.

    So many `at_once` can be asked without one of them waiting for a program to start.
    """

    @property
    def at_once(self) -> int: ...

    def of(self, case: Case | None) -> AbstractContextManager[FarEnd]:
        """The way for this case; for none, the usual one. Starting it may block, and raise `DidNotStart`."""


class CouldNotRun(Exception):
    """The run cannot begin; the text says what is missing and what to do."""


def run(
    cases: Sequence[Case],
    target: Target,
    emulator: str,
    *,
    without: Iterable[str] = (),
    replay: str | None = None,
    sections: dict[str, str] | None = None,
    progress: Progress | None = None,
    ways: Ways | None = None,
) -> Results:
    """Run the cases against the handler, which must use the emulator at this URL as its Bedrock.

    `without` names capabilities that the handler lacks. `progress` is told each result as it comes. Raises
    CouldNotRun when handler and emulator cannot be reached, or are not connected with each other.
    """
    return asyncio.run(
        _run(cases, target, emulator, frozenset(without), replay, sections or {}, progress, ways)
    )


def command(target: Target, emulator: str) -> list[str]:
    """The words of the command that does such a run, with the limits that differ from the defaults."""
    words = ["converse-contract", "run", target.url, "--emulator", emulator]
    for name, default in asdict(Limits()).items():
        if (value := getattr(target.limits, name)) != default:
            words += [f"--{name.replace('_', '-')}", f"{value:g}"]
    return words


async def _run(
    cases: Sequence[Case],
    target: Target,
    emulator: str,
    without: frozenset[str],
    replay: str | None,
    sections: dict[str, str],
    progress: Progress | None,
    ways: Ways | None,
) -> Results:
    started_at, started = time.time(), time.monotonic()
    lacking = without | ({"short_total"} if target.limits.total > LONGEST_TOTAL else set())
    # To the handler a connection each: a kept one may be closed in the moment when it is used again.
    fresh = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    brief = httpx.Limits(
        keepalive_expiry=1.0
    )  # to the emulator for less than the 5 s after which it closes them
    async with (
        httpx.AsyncClient(timeout=None, limits=fresh, trust_env=False) as client,
        httpx.AsyncClient(timeout=30.0, limits=brief, trust_env=False) as control,
    ):
        driver = Driver(target, client, Upstream(emulator, control))
        async with _on_its_way(driver, ways, None) as usual:
            await asyncio.gather(*(_preflight(usual, emulator) for _ in range(ways.at_once if ways else 1)))
        free = asyncio.Semaphore(ways.at_once if ways else AT_ONCE)

        async def one(case: Case) -> Result:
            async with free:
                begun = time.monotonic()
                running = asyncio.ensure_future(_run_case(case, driver, lacking, ways))
                await asyncio.wait({running}, timeout=None if ways else BEGINNING)
            verdict, evidence = await running
            result = Result(case, verdict, evidence, time.monotonic() - begun)
            if progress:
                progress(result)
            return result

        results = await asyncio.gather(*map(one, cases))
    return Results(
        results=tuple(results),
        handler=target.url,
        emulator=emulator,
        limits=target.limits,
        replay=replay or shlex.join(command(target, emulator)),
        started_at=started_at,
        seconds=time.monotonic() - started,
        sections=sections,
    )


@asynccontextmanager
async def _on_its_way(driver: Driver, ways: Ways | None, case: Case | None) -> AsyncIterator[Driver]:
    """The driver at the far end of the case's way."""
    with ExitStack() as stack:
        if ways is None:
            yield driver
            return
        far_end = await asyncio.to_thread(stack.enter_context, ways.of(case))
        try:
            # Less than the handler's own patience: once it gives up, the hops tell of its end.
            patience = min(GATE_LIMIT, EARLIER * far_end.target.limits.between_bytes)
            yield replace(driver, target=far_end.target, states=far_end.states, patience=patience)
        finally:
            await asyncio.to_thread(stack.close)


async def _run_case(
    case: Case, driver: Driver, lacking: frozenset[str], ways: Ways | None
) -> tuple[Verdict, Evidence | None]:
    missing = sorted(case.needs & lacking)
    if missing:
        return Verdict(Outcome.SKIPPED, reason=CAPABILITIES[missing[0]]), None
    try:
        async with _on_its_way(driver, ways, case) as there:
            evidence = await _collect(case, there)
    except ScenarioRefused as error:
        return Verdict(Outcome.CASE_BUG, reason=f"the emulator refused the scenario: {error}"), None
    except (EmulatorUnreachable, HandlerUnreachable, DidNotStart) as error:
        return Verdict(Outcome.COULD_NOT_RUN, reason=str(error)), None
    return judge(case, evidence), evidence


async def _collect(case: Case, driver: Driver) -> Evidence:
    requests = case.drive.times if isinstance(case.drive, Together) else 1
    sessions = tuple(session_name(case.id) for _ in range(requests))
    upstream = driver.upstream
    script = case.script(driver.target.limits)
    named = script if isinstance(script, str) else None
    if not named:
        await asyncio.gather(*(upstream.arm(session, list(script)) for session in sessions))
    driven = await driver.perform(case.drive, sessions, named)
    journals = await asyncio.gather(*(upstream.exchanges(session, SETTLING) for session in sessions))
    exchanges = tuple(exchange for journal in journals for exchange in journal)
    if named and (misses := [exchange["miss"] for exchange in exchanges if exchange["miss"]]):
        raise ScenarioRefused(misses[0])
    hops = tuple(state for session in sessions for state in driver.states(session))
    return Evidence(driven.transcripts, exchanges, driver.target.limits, driven.notes, hops)


async def _preflight(driver: Driver, emulator: str) -> None:
    """Ask once, to tell a run that is wired wrongly from a handler that is wrong."""
    session, target = session_name("preflight"), driver.target
    try:
        await driver.upstream.health()
        await driver.upstream.arm(session, ["Ready."])
        answer = await target.listener(driver.client).listen(session, None)
        called = await driver.upstream.called(session, 0)
    except (EmulatorUnreachable, HandlerUnreachable, ScenarioRefused) as error:
        raise CouldNotRun(str(error)) from error
    if called:
        return
    if answer.status is not None and answer.status >= 400:
        path = target.dialect.request("").path
        raise CouldNotRun(
            f"{target.url}{path} answers {answer.status}; --path and --request say how the handler is asked"
        )
    raise CouldNotRun(
        f"the handler at {target.url} answers, but no call of it reaches the emulator; start the handler "
        f"with AWS_ENDPOINT_URL_BEDROCK_RUNTIME={emulator}, and let it pass the prompt on unchanged"
    )
