"""Prompt caching: how many of a request's input tokens were read from a cache, how many written to it.

    system, tools and messages up to a cachePoint ─▶ a prefix: its hash and its tokens

The longest prefix that is still cached is read; what lies between it and the last cachePoint is written. A
prefix shorter than a model would cache (1,024 tokens) is neither. Entries live as long as the cachePoint says
(5 minutes or an hour) and begin anew when they are read.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from converse_emulator.http.content import once
from converse_emulator.language.scenario import Json
from converse_emulator.scripting.tokens import count_value

SHORTEST = 1_024  # tokens; what the documentation says of most models
LONGEST_KEPT = 10_000  # entries; the oldest is dropped
_SECONDS = {"5m": 300.0, "1h": 3600.0}


class CacheUse(NamedTuple):
    """Tokens read and written; `details` tells the written ones by the time that they live."""

    read: int = 0
    write: int = 0
    details: tuple[tuple[str, int], ...] = ()


class Prefix(NamedTuple):
    """A prompt up to a cachePoint."""

    digest: bytes
    tokens: int
    ttl: str


class PromptCache:
    """What was cached, by session and model."""

    def __init__(self) -> None:
        self._until: OrderedDict[tuple[str, str, bytes], float] = OrderedDict()

    def use(self, session: str, model_id: str, body: Mapping[str, Json], now: float) -> CacheUse | None:
        """What a request at `now` (seconds) reads and writes; None if it has no cachePoint."""
        if not has_cache_point(body):
            return None
        found = [prefix for prefix in prefixes(body) if prefix.tokens >= SHORTEST]
        read, write, details = 0, 0, dict[str, int]()
        for prefix in found:
            key = (session, model_id, prefix.digest)
            if self._until.get(key, 0.0) > now:
                read, write, details = prefix.tokens, 0, {}
            else:
                fresh = prefix.tokens - read - write
                write += fresh
                details[prefix.ttl] = details.get(prefix.ttl, 0) + fresh
            self._keep(key, now + _SECONDS[prefix.ttl])
        return CacheUse(read, write, tuple(details.items()))

    def forget(self, session: str | None = None) -> None:
        """Drop what a session cached, or all."""
        for key in [key for key in self._until if session in (None, key[0])]:
            del self._until[key]

    def _keep(self, key: tuple[str, str, bytes], until: float) -> None:
        self._until[key] = until
        self._until.move_to_end(key)
        if len(self._until) > LONGEST_KEPT:
            self._until.popitem(last=False)


@once
def has_cache_point(value: Json) -> bool:
    """Whether a cachePoint stands anywhere in a request's body."""
    match value:
        case Mapping():
            return "cachePoint" in value or any(map(has_cache_point, value.values()))
        case list():
            return any(map(has_cache_point, value))
        case _:
            return False


def prefixes(body: Mapping[str, Json]) -> Iterator[Prefix]:
    """The prefixes that a request's cachePoints end, shortest first."""
    digest, tokens = hashlib.sha256(), 0
    for part in _parts(body):
        point = part.get("cachePoint") if isinstance(part, Mapping) else None
        if isinstance(point, Mapping):
            ttl = point.get("ttl")
            yield Prefix(digest.digest(), tokens, ttl if ttl in _SECONDS else "5m")
        else:
            digest.update(json.dumps(part, sort_keys=True).encode())
            tokens += count_value(part)


def _parts(body: Mapping[str, Json]) -> Iterator[Json]:
    """Tools, system prompts and content blocks, in the order in which a prompt has them."""
    yield from (body.get("toolConfig") or {}).get("tools") or ()
    yield from body.get("system") or ()
    for message in body.get("messages") or ():
        yield message.get("role")
        yield from message.get("content") or ()
