"""Listening to an answer that comes as messages with numbers, and not as the response of a request."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx

from converse_contract.listen import Listener, Target
from converse_contract.transcript import Failed, Finished, Observed

LINGER = 0.25  # seconds after the terminal event in which something may come that should not
MENDING = 3.0  # seconds for events that were overtaken by the terminal one


class NumberedListener(Listener):
    """Knows when an answer is over that no response ends: at the terminal event, when none is missing."""

    def __init__(self, target: Target, client: httpx.AsyncClient) -> None:
        super().__init__(target, client)
        self._events: dict[int, Observed] = {}  # by number
        self._last: int | None = None
        self.patience: float | None = None  # seconds of silence after which nothing more is expected

    async def _message(self, text: str) -> None:
        """Take a message of the answer."""
        seen = self.target.dialect.message(text)
        if seen.id is not None and seen.id.isdigit():
            self._events[int(seen.id)] = seen.event
        if isinstance(seen.event, Finished | Failed):
            self._last = max(self._events, default=0)
        await self._take([seen], f"{text}\n\n".encode())

    async def _until_over(self, receive: Callable[[], Coroutine[Any, Any, str]]) -> None:
        """Take messages until the answer is over, and a moment longer."""
        until: float | None = None
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout_at(until):
                    text = await receive()
            except TimeoutError:
                if until is not None and loop.time() >= until:
                    return
                raise
            await self._message(text)
            if self._last is not None:
                whole = self._events.keys() >= set(range(1, self._last + 1))
                until = loop.time() + (LINGER if whole else MENDING)
            elif self.patience is not None:
                until = loop.time() + self.patience
