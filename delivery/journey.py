"""One path, open between stretches of network, and what is asked over it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from converse_contract.case import Ask, Limits, StepGates
from converse_contract.delivery.appsync import AppSyncListener, Visitor
from converse_contract.delivery.path import PATHS, Tuning
from converse_contract.delivery.program import Program
from converse_contract.delivery.wiring import Way, wire
from converse_contract.drive import Driver
from converse_contract.listen import Target
from converse_contract.transcript import Text, Transcript
from converse_contract.upstream import Upstream, session_name

from delivery.constants import BROWSER, POST
from delivery.relay import Relay
from delivery.rows import Row

# Short where something is waited for in vain; heartbeats so that one falls into the pause of a tool.
LIMITS = Limits(first_byte=10.0, between_bytes=10.0, total=60.0, tool=10.0, heartbeat=0.5, attempts=1)
GATED: list[Any] = [
    [{"text": "It renews "}, {"gate": "one"}, {"text": "on 1 "}, {"gate": "two"}, {"text": "March."}]
]
PAUSE = 1.5  # seconds that the tool takes
TOOL: list[Any] = [
    [{"text": "Let me see. "}, {"tool_use": {"name": "slow_report", "input": {"seconds": PAUSE}}}],
    [{"text": "Three rows."}],
]
BREAKS: list[Any] = [[{"text": "It renews on "}, "finish"]]
NEVER_ENDS: list[Any] = [[{"text": "It renews on "}, {"wait": "forever"}]]
SILENCE = 3.0  # seconds without a word after which nothing is expected any more


@dataclass(frozen=True, slots=True)
class Journey:
    """A row that is open. `relays` are what stands between the browser and everything that it talks to."""

    row: Row
    way: Way
    target: Target
    relays: tuple[Relay, ...]
    emulator: str
    pids: Path

    def answer(self, replies: list[Any]) -> tuple[Transcript, tuple[Any, ...]]:
        """The answer to one question, and the emulator's exchanges."""
        return asyncio.run(self._answer(replies))

    def gated(self) -> tuple[str, tuple[Any, ...]]:
        """The gate at which text did not come through, empty if all did; and the emulator's exchanges."""

        async def step() -> tuple[str, tuple[Any, ...]]:
            async with self._driver(GATED) as (driver, session):
                driven = await driver.perform(StepGates(("one", "two")), (session,), None)
                return str(driven.notes.get("stalled_gate", "")), await driver.upstream.exchanges(
                    session, 3.0
                )

        return asyncio.run(step())

    def killed(self) -> Transcript:
        """What comes when the handler's process dies in the middle of an answer."""

        async def kill() -> Transcript:
            async with self._driver(NEVER_ENDS) as (driver, session):
                listener = self.target.listener(driver.client)
                listening = asyncio.create_task(listener.listen(session, None))
                await driver.upstream.called(session, 10.0, lambda: listener.over)
                with suppress(TimeoutError):
                    async with asyncio.timeout(SILENCE):  # the illusion shows nothing
                        await listener.until(lambda: listener.saw(Text))
                for pid in self.pids.read_text().split():
                    with suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
                await asyncio.wait({listening}, timeout=SILENCE)
                listener.leave()
                return await listening

        return asyncio.run(kill())

    async def _answer(self, replies: list[Any]) -> tuple[Transcript, tuple[Any, ...]]:
        async with self._driver(replies) as (driver, session):
            driven = await driver.perform(Ask(), (session,), None)
            return driven.transcripts[0], await driver.upstream.exchanges(session, 3.0)

    @asynccontextmanager
    async def _driver(self, replies: list[Any]) -> AsyncIterator[tuple[Driver, str]]:
        """Whoever asks, and a session in which these replies are armed."""
        async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
            driver, session = (
                Driver(self.target, client, Upstream(self.emulator, client)),
                session_name("hops"),
            )
            await driver.upstream.arm(session, replies)
            yield driver, session


@contextmanager
def journey(row: Row, emulator: str, bedrock: str, folder: Path) -> Iterator[Journey]:
    """Open the row's path; its handler asks `bedrock`, which leads to the emulator."""
    pids = folder / f"{row.number}-{row.path}.pids"
    pids.touch()
    tuning = Tuning(post_latency=(POST.value, POST.value))
    with ExitStack() as stack:
        wiring = stack.enter_context(wire(PATHS[row.path], _noted(row.program, pids), bedrock, LIMITS))
        way = stack.enter_context(wiring.open(tuning))
        relay = stack.enter_context(Relay(way.target.url, BROWSER.value))
        relays: tuple[Relay, ...] = (relay,)
        target = replace(way.target, url=relay.instead_of(way.target.url))
        if row.path == "appsync":
            (hop,) = way.placed[0].hops
            realtime = stack.enter_context(Relay(hop.url, BROWSER.value))
            relays, target = (relay, realtime), replace(target, carrier=_over(realtime))
        yield Journey(row, way, target, relays, emulator, pids)


def _noted(program: Program, pids: Path) -> Program:
    """The program, which notes its process's id before anything else."""

    def noted(command: tuple[str, ...] | str) -> tuple[str, ...]:
        if not command:
            return ()
        return ("sh", "-c", f'echo $$ >>{pids}; exec "$@"', "sh", *command)

    return Program(noted(program.function), noted(program.service))


def _over(realtime: Relay) -> type[AppSyncListener]:
    class Listener(AppSyncListener):
        """Its WebSocket, too, goes by way of a relay."""

        async def _visit(self) -> Visitor:
            visitor = await AppSyncListener._visit(self)
            return replace(visitor, realtime_url=realtime.instead_of(visitor.realtime_url))

    return Listener
