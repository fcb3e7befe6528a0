"""Answers shared through Redis: a browser that comes back to another instance gets the rest there.

The instance that makes an answer copies its blocks into a stream, `N-0` for the Nth, and says every second
that it is alive; others read the stream, and say that they do. Copying never holds the answer up, and a Redis
that is down costs resumption elsewhere and nothing else.

    chat:{ID}:events   the stream: `0-1` opens it, an entry with `end` closes it
    chat:{ID}:alive    an instance makes this answer
    chat:{ID}:read     another instance has a reader
    chat:{ID}:stop     a reader there wants it stopped
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from converse_handler import sse
from converse_handler.answers import Blocks, Seen, Unknown, Unreachable
from converse_handler.backlog import Backlog, Lost
from converse_handler.cut_short import cut_short
from converse_handler.generation import Generation
from converse_handler.settings import Settings

log = logging.getLogger("converse_handler")

BEAT = 1.0  # seconds between two signs of life
LEASE = 5.0  # seconds after the last one until an instance counts as gone
PATIENCE = 5.0  # seconds that Redis may take to connect or to answer

Entry = tuple[bytes, dict[bytes, bytes]]  # id and fields


class RedisShare:
    """A `Share`. Every instance needs the same settings of resumption."""

    def __init__(self, settings: Settings) -> None:
        self._redis: Any = Redis.from_url(
            settings.redis_url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE
        )
        self._room = settings.resume_events + 2  # its opening and its end
        self._grace = settings.resume_grace
        self._window = max(settings.resume_window, LEASE)  # a reader elsewhere has to see the end
        self._beat = min(BEAT, self._grace / 3) if self._grace else BEAT

    async def publish(self, generation: Generation) -> None:
        """Show the others this answer as it comes, until it is over."""
        while True:
            try:
                return await self._copy(generation)
            except RedisError as error:
                log.warning("answer %.12s…: not shared at the moment: %s", generation.id, error)
            if generation.backlog.ended:
                return None
            await asyncio.sleep(self._beat)

    async def read(self, answer: str, number: int) -> Blocks:
        """Another instance's answer, the blocks after this one; raises `Unknown`, `Seen`, `Unreachable`."""
        events = _key(answer, "events")
        try:
            first, last = await asyncio.gather(
                self._redis.xrange(events, count=1), self._redis.xrevrange(events, count=1)
            )
        except RedisError as error:
            raise Unreachable from error
        if not first or not last or number < _number(first[0]) - 1:
            raise Unknown
        if b"end" in last[0][1] and number >= _number(last[0]) - 1:
            raise Seen
        return self._follow(answer, number)

    async def stop(self, answer: str) -> None:
        """Ask whichever instance makes this answer to stop; raises `Unreachable`."""
        try:
            if re.fullmatch("msg_[0-9a-f]{32}", answer):  # perhaps one that has only just begun
                await self._redis.set(_key(answer, "stop"), b"1", px=_ms(LEASE))
        except RedisError as error:
            raise Unreachable from error

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.aclose()

    async def _copy(self, generation: Generation) -> None:
        backlog, answer, loop = generation.backlog, generation.id, asyncio.get_running_loop()
        number = await self._copied(answer)
        while True:
            try:
                blocks = await self._news(backlog, number)
            except Lost:  # said faster than it is copied; what is not kept here need not be kept there
                await self._redis.delete(_key(answer, "events"))
                number = backlog.dropped
                continue
            number += len(blocks)
            over = backlog.ended and number >= backlog.written
            async with self._redis.pipeline(transaction=True) as redis:
                for place, block in enumerate(blocks, number - len(blocks) + 1):
                    self._add(redis, answer, f"{place}-0", block=block)
                if over:
                    self._add(redis, answer, f"{number + 1}-0", end=b"")
                    redis.delete(_key(answer, "alive"))
                else:
                    redis.set(_key(answer, "alive"), b"1", px=_ms(LEASE))
                redis.pexpire(_key(answer, "events"), _ms(self._window if over else self._window + LEASE))
                redis.pttl(_key(answer, "read"))
                redis.exists(_key(answer, "stop"))
                *_, read_for, stopped = await redis.execute()
            if over:
                return
            if read_for > 0:
                generation.read_elsewhere_until = loop.time() + read_for / 1000
            if stopped:
                generation.stop()

    async def _copied(self, answer: str) -> int:
        """How much is there already; opens the stream when it is new."""
        if last := await self._redis.xrevrange(_key(answer, "events"), count=1):
            return _number(last[0])
        await self._add(self._redis, answer, "0-1", open=b"")
        return 0

    def _add(self, redis: Any, answer: str, id: str, **fields: bytes) -> Any:
        return redis.xadd(_key(answer, "events"), fields, id=id, maxlen=self._room, approximate=False)

    async def _news(self, backlog: Backlog, number: int) -> list[bytes]:
        try:
            async with asyncio.timeout(self._beat):
                return await backlog.after(number)
        except TimeoutError:
            return []

    async def _follow(self, answer: str, number: int) -> AsyncGenerator[bytes]:
        try:
            while True:
                entries = await self._wait(answer, number)
                if not entries:  # whoever made it is gone
                    for event in cut_short(answer, await self._all(answer)):
                        number += 1
                        yield sse.encode(event, number, answer)
                    return
                for entry in entries:
                    if b"end" in entry[1]:
                        return
                    if b"block" not in entry[1]:
                        continue
                    if _number(entry) != number + 1:
                        raise Lost
                    number += 1
                    yield entry[1][b"block"]
        except RedisError as error:
            raise Lost from error

    async def _wait(self, answer: str, number: int) -> list[Entry]:
        """The next entries, and none if no more will come."""
        while True:
            if self._grace:
                await self._redis.set(_key(answer, "read"), b"1", px=_ms(self._grace))
            if entries := await self._entries(answer, number, block=_ms(self._beat)):
                return entries
            if not await self._redis.exists(_key(answer, "alive")):
                return await self._entries(answer, number)  # the end came in between, or never

    async def _entries(self, answer: str, number: int, block: int | None = None) -> list[Entry]:
        events = _key(answer, "events")
        found = await self._redis.xread({events: f"{number}-{1 if number == 0 else 0}"}, block=block)
        entries: list[Entry] = next(
            iter(found.values() if isinstance(found, dict) else [f[1] for f in found]), []
        )
        return entries

    async def _all(self, answer: str) -> list[bytes]:
        entries: list[Entry] = await self._redis.xrange(_key(answer, "events"))
        if not entries:
            raise Lost
        return [fields[b"block"] for _, fields in entries if b"block" in fields]


def _key(answer: str, what: str) -> str:
    return f"chat:{{{answer}}}:{what}"  # the braces keep an answer's keys on one node of a cluster


def _number(entry: Entry) -> int:
    return int(entry[0].partition(b"-")[0])


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
