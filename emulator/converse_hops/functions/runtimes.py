"""Runtimes that were started by hand: any number of them, on one Runtime API."""

import asyncio
import time
from collections import OrderedDict

from converse_hops.functions.backlog import Backlog
from converse_hops.functions.invocation import Failure, Invocation
from converse_hops.pace import LimitReached, Pace

TIMED_OUT = "Sandbox.Timedout"  # a function's error code when its time is up
MOST_KNOWN = 1000  # invocations whose late posts are told apart from nonsense


class Runtimes:
    """They share the function's backlog. An invocation fails when it takes longer than `timeout` seconds."""

    def __init__(self, backlog: Backlog, pace: Pace, timeout: float) -> None:
        self._backlog = backlog
        self._pace = pace
        self._timeout = timeout
        self._known: OrderedDict[str, Invocation] = OrderedDict()
        self._watches: set[asyncio.Task[None]] = set()

    async def take(self) -> Invocation:
        """The next invocation, once there is one."""
        return await self._backlog.take()

    async def put_back(self, invocation: Invocation) -> None:
        """The runtime died before it had it."""
        invocation.state = "waiting"
        await self._backlog.put_back(invocation)

    def taken(self, invocation: Invocation) -> int:
        """A runtime has it; until when it may run, in epoch milliseconds."""
        invocation.run()
        self._known[invocation.id] = invocation
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        watch = asyncio.get_running_loop().create_task(self._watch(invocation))
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)
        return round((time.time() + self._pace.real(self._timeout)) * 1000)

    def find(self, invocation_id: str) -> Invocation | None:
        """An invocation that a runtime has, or had."""
        return self._known.get(invocation_id)

    async def init_failed(self, failure: Failure) -> None:
        """The function could not be initialised: who waits longest is told."""
        if invocation := self._backlog.oldest():
            await invocation.fail(failure)

    async def timed_out(self, invocation: Invocation) -> None:
        """Its time is up."""
        message = f"RequestId: {invocation.id} Error: Task timed out after {self._timeout:.2f} seconds"
        await invocation.fail(Failure.of(TIMED_OUT, message))

    async def _watch(self, invocation: Invocation) -> None:
        began = invocation.began
        try:
            async with self._pace.limit("function timeout", self._timeout):
                await invocation.over.wait()
        except LimitReached as limit:
            if invocation.state in ("running", "responding") and invocation.began == began:
                invocation.passage.note("down", "cut", detail=str(limit))
                await self.timed_out(invocation)
