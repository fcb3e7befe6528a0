"""The lanes of a server, and their turns: what comes together is read first, then answered, then sent.

A system call leaves the processor's caches and predictions cold: answers that follow each other without one
take a quarter less time.
"""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from converse_emulator.lane import Lane


class Lanes:
    """Those that are open, and what they play."""

    def __init__(self) -> None:
        self.open: set[Lane] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._waiting: list[Lane] = []

    def wait(self, lane: "Lane") -> None:
        """Give a lane that has received something its turn: once all that is there is read, or at once where
        there is no other."""
        if len(self.open) == 1:
            while lane.answer():
                lane.send()
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._take_turns)
        lane.waits = True
        self._waiting.append(lane)

    def _take_turns(self) -> None:
        lanes, self._waiting = self._waiting, []
        for lane in lanes:
            lane.waits = False
        for lane in [lane for lane in lanes if lane.answer()]:
            lane.send()
            if lane.has_more:
                self.wait(lane)
