"""Who runs a function's invocations: sandboxes, started as they are needed, or runtimes started by hand."""

from converse_hops.functions.backlog import Backlog
from converse_hops.functions.invocation import Invocation
from converse_hops.functions.runtimes import Runtimes
from converse_hops.functions.sandbox import Program, Sandbox
from converse_hops.pace import Pace


class Throttled(Exception):
    """All sandboxes that there may be are at work."""


class Fleet:
    """A sandbox is started when no other is idle; one that died is replaced when it is missed."""

    def __init__(self, program: Program | None, pace: Pace, timeout: float, concurrency: int) -> None:
        self._program = program
        self._pace = pace
        self._timeout = timeout
        self._concurrency = concurrency
        self._backlog = Backlog()
        self._sandboxes: list[Sandbox] = []
        self._coming = 0  # invocations that will be in the backlog: each counts on an idle sandbox
        self.by_hand = Runtimes(self._backlog, pace, timeout)

    async def submit(self, invocation: Invocation) -> None:
        """Have it run; raises `Throttled`."""
        missing = len(self._backlog) + self._coming >= self._idle
        self._coming += 1
        try:
            if self._program and missing:
                await self._start(self._program)
            await self._backlog.put(invocation)
        finally:
            self._coming -= 1

    async def close(self) -> None:
        for sandbox in list(self._sandboxes):
            await sandbox.stop()

    @property
    def _idle(self) -> int:
        return sum(sandbox.idle for sandbox in self._sandboxes)

    async def _ended(self, sandbox: Sandbox) -> None:
        """One ended that somebody may have counted on."""
        self._sandboxes.remove(sandbox)
        if self._program and len(self._backlog) > self._idle:
            await self._start(self._program)

    async def _start(self, program: Program) -> None:
        if len(self._sandboxes) >= self._concurrency:
            raise Throttled
        sandbox = Sandbox(program, self._backlog, self._pace, self._timeout, self._ended)
        self._sandboxes.append(sandbox)
        await sandbox.start()
