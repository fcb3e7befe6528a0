"""Asks the handler and writes down what arrives, and when, whatever carries it.

Every request ends: a response may be quiet no longer than the handler's own limits allow (heartbeats do not
count), nor last longer than the declared total; `SLACK` is added to both for a busy machine.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import cast

import httpx

from converse_contract.case import Limits
from converse_contract.dialect import Dialect, HttpRequest, Seen
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
    carrier: "Carrier | None" = None  # None: Server-Sent Events in the response of a request
    starting: float = 0.0  # seconds that what is on the way may need until it is there

    @property
    def quiet(self) -> float:
        """The longest time without anything but heartbeats that a handler within its limits may need."""
        limits = self.limits
        longest = max(limits.attempts * (limits.first_byte + 1), limits.between_bytes, limits.tool)
        return longest + self.starting + SLACK

    def listener(self, client: httpx.AsyncClient) -> "Listener":
        """One that hears one answer."""
        return (self.carrier or Listener)(self, client)


Carrier = Callable[[Target, httpx.AsyncClient], "Listener"]


class Cut(Exception):
    """What carried the answer broke before it was over."""


class Listener:
    """One request to the handler and its answer, as far as it has come.

    This one hears Server-Sent Events; others override `_converse`, which asks and takes what comes.
    """

    def __init__(self, target: Target, client: httpx.AsyncClient) -> None:
        self.target, self._client = target, client
        self._status: int | None = None
        self._headers: tuple[tuple[str, str], ...] = ()
        self._arrivals: list[Arrival] = []
        self._raw: list[bytes] = []
        self._news = asyncio.Condition()
        self.session = ""
        self.text = ""
        self.over = self._left = False
        self._pause = 0.0

    async def listen(self, session: str, scenario: str | None) -> Transcript:
        """Ask, and read until the response ends, the time is up, or `leave` is called."""
        return await self.hear(self.target.dialect.request(prompt_for(session, scenario)), session)

    async def hear(self, asked: HttpRequest, session: str) -> Transcript:
        """The same with a request of the caller's own."""
        ending: Ending = "complete"
        self.session = session
        self._started, sent_at = time.monotonic(), time.time()
        loop = asyncio.get_running_loop()
        self._latest = loop.time() + self.target.limits.total + self.target.starting + SLACK
        try:
            async with asyncio.timeout_at(min(self._latest, loop.time() + self.target.quiet)) as self._bound:
                await self._converse(asked)
        except TimeoutError:
            ending = "we left" if self._left else "timed out"
        except Cut:
            ending = "no response" if self._status is None else "cut"
        finally:
            self.over = True
            await self._tell()
        return Transcript(
            sent_at=sent_at,
            status=self._status,
            headers=tuple((name.lower(), value) for name, value in self._headers),
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

    def rest(self, seconds: float) -> None:
        """Once there is a response, take nothing of it for so long."""
        self._pause = seconds

    async def cancel(self) -> None:
        """Say that the answer is not wanted any more; where there is no word for it, leave."""
        self.leave()

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

    async def _converse(self, asked: HttpRequest) -> None:
        """Ask, and `_take` what comes until it is over. Raises `Cut`, `HandlerUnreachable`."""
        url = self.target.url.rstrip("/") + asked.path
        headers, body = asked.headers, asked.body
        try:
            async with self._client.stream(asked.method, url, headers=headers, content=body) as response:
                self._status, self._headers = response.status_code, tuple(response.headers.multi_items())
                reader = self.target.dialect.reader()
                await asyncio.sleep(self._pause)
                pieces = cast("AsyncGenerator[bytes]", response.aiter_bytes())
                async with aclosing(pieces):
                    async for piece in pieces:
                        await self._take(reader.feed(piece), piece)
        except httpx.ConnectError as error:
            raise HandlerUnreachable(f"no handler at {self.target.url}: {error}") from error
        except httpx.RequestError as error:
            raise Cut from error

    async def _take(self, seen: Sequence[Seen], raw: bytes) -> None:
        """Write down what came, now; the time without anything begins anew."""
        at = time.monotonic() - self._started
        self._raw.append(raw)
        self._arrivals += [Arrival(at, one.event, one.id) for one in seen]
        if any(not isinstance(one.event, Heartbeat) for one in seen) and not self._left:
            loop = asyncio.get_running_loop()
            self._bound.reschedule(min(self._latest, loop.time() + self.target.quiet))
        self.text += "".join(one.event.text for one in seen if isinstance(one.event, Text))
        await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()
