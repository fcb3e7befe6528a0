"""The metadata event: counted tokens, what the request asked to be told, and what a scenario puts there."""

from collections.abc import Mapping
from typing import NamedTuple

from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Json
from converse_emulator.scripting.guardrail_trace import guardrail_trace
from converse_emulator.scripting.habits import habits_of
from converse_emulator.scripting.prompt_cache import CacheUse, has_cache_point
from converse_emulator.scripting.tokens import count_request

_CACHE = ("cacheRead", "cacheWrite")
# Input and output tokens of an answer that was blocked, as recorded: of a guardrail, of Nova's filters.
_BLOCKED = {"guardrail_intervened": (0, 0), "content_filtered": (1, 0)}


class Said(NamedTuple):
    """What a finished answer was."""

    tokens: int
    latency: float  # seconds
    reason: str  # its stop reason
    characters: int  # of its text


def metadata(
    request: Request, said: Said, usage: Mapping[str, Json], members: Mapping[str, Json]
) -> dict[str, Json]:
    """The payload of the event. `usage` replaces counted members, `members` those of the event itself."""
    event: dict[str, Json] = {
        "metrics": {"latencyMs": round(said.latency * 1000)},
        "usage": _usage(request, said, usage),
        **_echoed(request.body),
    }
    if trace := guardrail_trace(request.body, said.reason, said.characters):
        event["trace"] = {"guardrail": trace}
    return event | dict(members)


def _echoed(body: Mapping[str, Json]) -> dict[str, Json]:
    """What a request says of how it wants to be served; it is told that it was (recorded of Converse)."""
    return {name: body[name] for name in ("performanceConfig", "serviceTier") if body.get(name)}


def _usage(request: Request, said: Said, given: Mapping[str, Json]) -> dict[str, Json]:
    cache = request.cache or CacheUse()
    sent, said_tokens = count_request(request.body) - cache.read - cache.write, said.tokens
    sent, said_tokens = _BLOCKED.get(said.reason, (sent, said_tokens))
    usage: dict[str, Json] = {"inputTokens": sent, "outputTokens": said_tokens, "serverToolUsage": {}}
    if _tells_of_cache(request):
        usage |= {"cacheReadInputTokens": cache.read, "cacheWriteInputTokens": cache.write}
    if cache.details and request.operation == "Converse":
        usage["cacheDetails"] = [{"inputTokens": tokens, "ttl": ttl} for ttl, tokens in cache.details]
    return _completed(usage | dict(given))


def _tells_of_cache(request: Request) -> bool:
    """A stream tells of the cache where the request asks for it, Converse also where the model has one."""
    if has_cache_point(request.body):
        return True
    return request.operation == "Converse" and habits_of(request.model).caches


def _completed(usage: dict[str, Json]) -> dict[str, Json]:
    """With the cache members, each under both its names, where there are any, and with the total."""
    if any(f"{kind}InputTokens" in usage for kind in _CACHE):
        for kind in _CACHE:
            tokens = usage.setdefault(f"{kind}InputTokens", 0)
            usage.setdefault(f"{kind}InputTokenCount", tokens)
    parts = ("inputTokens", "outputTokens", *(f"{kind}InputTokens" for kind in _CACHE))
    amounts = (usage.get(part) for part in parts)
    usage.setdefault("totalTokens", sum(amount for amount in amounts if isinstance(amount, int)))
    return usage
