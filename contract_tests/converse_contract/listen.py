"""Asks the handler and writes down what arrives, and when.

Every request ends: a response may be quiet no longer than the handler's own limits allow (heartbeats do not
count), nor last longer than the declared total; `SLACK` is added to both for a busy machine.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import cast

import httpx

from converse_contract.case import Limits
from converse_contract.dialect import Dialect
from converse_contract.transcript import Arrival, Ending, Heartbeat, Text, Transcript
from converse_contract.upstream import prompt_for

SLACK = 5.0  # seconds


class HandlerUnreachable(Exception):
    """Nobody answers at the handler's URL; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Target:
    """The handler under test: where it is, how it speaks, what it declares about itself."""

    url: str
    dialect: Dialect
    limits: Limits = field(default_factory=Limits)
    probe_path: str = "/health"

    @property
    def quiet(self) -> float:
        """The longest time without anything but heartbeats that a handler within its limits may need."""
        limits = self.limits
        return max(limits.attempts * (limits.first_byte + 1), limits.between_bytes, limits.tool) + SLACK


class Listener:
    """One request to the handler and its answer, as far as it has come."""

    def __init__(self, target: Target, client: httpx.AsyncClient) -> None:
        self._target, self._client = target, client
        self._arrivals: list[Arrival] = []
        self._raw: list[bytes] = []
        self._news = asyncio.Condition()
        self.text = ""
        self.over = self._left = False

    async def listen(self, session: str, scenario: str | None) -> Transcript:
        """Ask, and read until the response ends, the time is up, or `leave` is called."""
        asked = self._target.dialect.request(prompt_for(session, scenario))
        response: httpx.Response | None = None
        ending: Ending = "complete"
        self._started, sent_at = time.monotonic(), time.time()
        loop = asyncio.get_running_loop()
        self._latest = loop.time() + self._target.limits.total + SLACK
        try:
            async with asyncio.timeout_at(min(self._latest, loop.time() + self._target.quiet)) as self._bound:
                async with self._client.stream(
                    asked.method,
                    self._target.url.rstrip("/") + asked.path,
                    headers=asked.headers,
                    content=asked.body,
                ) as response:
                    await self._read(response)
        except TimeoutError:
            ending = "we left" if self._left else "timed out"
        except httpx.ConnectError as error:
            raise HandlerUnreachable(f"no handler at {self._target.url}: {error}") from error
        except httpx.RequestError:
            ending = "no response" if response is None else "cut"
        finally:
            self.over = True
            await self._tell()
        headers = () if response is None else response.headers.multi_items()
        return Transcript(
            sent_at=sent_at,
            status=None if response is None else response.status_code,
            headers=tuple((name.lower(), value) for name, value in headers),
            arrivals=tuple(self._arrivals),
            ending=ending,
            ended_at=time.monotonic() - self._started,
            raw=b"".join(self._raw),
            session=session,
        )

    async def shows_more_than(self, before: str, at_least: str, seconds: float) -> bool:
        """Wait until all of `at_least` is shown, and more than `before`; False if that does not happen."""

        def enough() -> bool:
            return len(self.text) > len(before) and len(self.text) >= len(at_least)

        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.until(enough)
        return enough()

    def leave(self) -> None:
        """Close the connection now, whatever may still come."""
        self._left = True
        if not self.over:
            self._bound.reschedule(asyncio.get_running_loop().time())

    def saw(self, kind: type) -> bool:
        """Whether such an event has come."""
        return any(isinstance(arrival.event, kind) for arrival in self._arrivals)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until this is true, or the response is over."""
        async with self._news:
            await self._news.wait_for(lambda: self.over or true())

    async def _read(self, response: httpx.Response) -> None:
        reader = self._target.dialect.reader()
        loop = asyncio.get_running_loop()
        async with aclosing(cast("AsyncGenerator[bytes]", response.aiter_bytes())) as chunks:
            async for chunk in chunks:
                at = time.monotonic() - self._started
                self._raw.append(chunk)
                seen = reader.feed(chunk)
                self._arrivals += [Arrival(at, one.event, one.id) for one in seen]
                if any(not isinstance(one.event, Heartbeat) for one in seen) and not self._left:
                    self._bound.reschedule(min(self._latest, loop.time() + self._target.quiet))
                self.text += "".join(one.event.text for one in seen if isinstance(one.event, Text))
                await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()
