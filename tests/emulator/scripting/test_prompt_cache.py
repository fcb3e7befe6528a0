"""Prompt caching: what is read, what is written, for how long, for whom."""

from typing import Any

from converse_emulator.scripting.prompt_cache import (
    SHORTEST,
    CacheUse,
    PromptCache,
    has_cache_point,
    prefixes,
)

LONG, LONGER = "word " * SHORTEST, "more " * SHORTEST
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"


def point(ttl: str | None = None) -> dict[str, Any]:
    return {"cachePoint": {"type": "default", **({"ttl": ttl} if ttl else {})}}


def body(*blocks: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}], **members}


PROMPT = body({"text": LONG}, point(), {"text": "And now?"})
WRITTEN = next(prefixes(PROMPT)).tokens


def test_without_a_cache_point_there_is_nothing_to_tell() -> None:
    assert PromptCache().use("s", MODEL, body({"text": LONG}), 0.0) is None
    assert not has_cache_point(body({"text": LONG}))
    assert has_cache_point(PROMPT)


def test_a_prefix_is_written_and_then_read() -> None:
    cache = PromptCache()
    assert cache.use("s", MODEL, PROMPT, 0.0) == CacheUse(0, WRITTEN, (("5m", WRITTEN),))
    other = body({"text": LONG}, point(), {"text": "Something else?"})
    assert cache.use("s", MODEL, other, 1.0) == CacheUse(WRITTEN, 0, ())


def test_it_lives_five_minutes_from_its_last_use() -> None:
    cache = PromptCache()
    reads = []
    for now in (0.0, 299.0, 597.0, 900.0):
        use = cache.use("s", MODEL, PROMPT, now)
        assert use
        reads.append(use.read)
    assert reads == [0, WRITTEN, WRITTEN, 0]


def test_it_lives_an_hour_if_asked() -> None:
    cache, prompt = PromptCache(), body({"text": LONG}, point("1h"))
    written = cache.use("s", MODEL, prompt, 0.0)
    assert written
    assert written.details == (("1h", WRITTEN),)
    read = cache.use("s", MODEL, prompt, 3599.0)
    assert read
    assert read.read == WRITTEN


def test_what_is_beyond_the_prefix_that_is_read_is_written() -> None:
    cache = PromptCache()
    cache.use("s", MODEL, PROMPT, 0.0)
    longer = body({"text": LONG}, point(), {"text": LONGER}, point("1h"))
    use = cache.use("s", MODEL, longer, 1.0)
    assert use
    first, second = prefixes(longer)
    assert (use.read, use.write) == (first.tokens, second.tokens - first.tokens)
    assert use.details == (("1h", second.tokens - first.tokens),)


def test_a_short_prefix_is_not_cached() -> None:
    cache, short = PromptCache(), body({"text": "Hi"}, point())
    assert [cache.use("s", MODEL, short, now) for now in (0.0, 1.0)] == [CacheUse(), CacheUse()]


def test_tools_and_system_prompts_come_first() -> None:
    tools = {"tools": [{"toolSpec": {"name": "x", "description": LONG}}, point()]}
    of_tools = body({"text": "Hi"}, toolConfig=tools)
    (alone,) = prefixes(of_tools)
    both = body({"text": "Hi"}, toolConfig=tools, system=[{"text": LONGER}, point()])
    assert next(prefixes(both)) == alone
    assert len(list(prefixes(both))) == 2


def test_sessions_and_models_do_not_share() -> None:
    cache = PromptCache()
    cache.use("s", MODEL, PROMPT, 0.0)
    for session, model in (("t", MODEL), ("s", "amazon.nova-lite-v1:0")):
        use = cache.use(session, model, PROMPT, 1.0)
        assert use
        assert use.read == 0
    cache.forget("s")
    use = cache.use("s", MODEL, PROMPT, 2.0)
    assert use
    assert use.read == 0
