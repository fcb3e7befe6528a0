"""Gates that hold a function, wherever it runs: it asks for one by HTTP and is answered once that is open."""

import asyncio
import threading
from typing import Self

from converse_hops.http.server import Incoming

from tests.hops.peers import Origin

PATIENCE = 60.0  # seconds that a gate holds; only a test that fails gets there


class Gates(Origin):
    """`GET /NAME` waits for `open(NAME)`."""

    def __init__(self) -> None:
        super().__init__(self._hold)
        self._gates: dict[str, threading.Event] = {}

    def open(self, name: str) -> Self:
        self._gate(name).set()
        return self

    async def _hold(self, incoming: Incoming) -> None:
        await asyncio.to_thread(self._gate(incoming.target.strip("/")).wait, PATIENCE)
        await incoming.answer(200, [], b"open")

    def _gate(self, name: str) -> threading.Event:
        return self._gates.setdefault(name, threading.Event())
