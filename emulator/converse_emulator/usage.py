"""The metadata event: counted tokens, and what a scenario puts in their place."""

from collections.abc import Mapping

from converse_emulator.scenario import Json
from converse_emulator.tokens import count_request

_CACHE = ("cacheRead", "cacheWrite")


def metadata(
    body: Mapping[str, Json],
    output_tokens: int,
    latency: float,
    usage: Mapping[str, Json],
    members: Mapping[str, Json],
) -> dict[str, Json]:
    """The payload for a request `body`; `latency` in seconds.

    `usage` replaces counted members, `members` replaces and adds members of the event itself.
    """
    counted: dict[str, Json] = {
        "inputTokens": count_request(body),
        "outputTokens": output_tokens,
        "serverToolUsage": {},
    }
    event: dict[str, Json] = {
        "metrics": {"latencyMs": round(latency * 1000)},
        "usage": _completed(counted | dict(usage), caching=_has_cache_point(body)),
    }
    return event | dict(members)


def _completed(usage: dict[str, Json], *, caching: bool) -> dict[str, Json]:
    """With the cache members, each under both its names, where there are any, and with the total."""
    if caching or any(f"{kind}InputTokens" in usage for kind in _CACHE):
        for kind in _CACHE:
            tokens = usage.setdefault(f"{kind}InputTokens", 0)
            usage.setdefault(f"{kind}InputTokenCount", tokens)
    parts = ("inputTokens", "outputTokens", *(f"{kind}InputTokens" for kind in _CACHE))
    amounts = (usage.get(part) for part in parts)
    usage.setdefault("totalTokens", sum(amount for amount in amounts if isinstance(amount, int)))
    return usage


def _has_cache_point(value: Json) -> bool:
    match value:
        case Mapping():
            return "cachePoint" in value or any(map(_has_cache_point, value.values()))
        case list():
            return any(map(_has_cache_point, value))
        case _:
            return False
