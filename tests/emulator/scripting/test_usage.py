"""The metadata event: counts, the cache, what the request asked for, guardrails."""

from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.scripting.prompt_cache import CacheUse
from converse_emulator.scripting.tokens import count_request
from converse_emulator.scripting.usage import Said, metadata

OLD, NEW = "anthropic.claude-3-haiku-20240307-v1:0", "us.anthropic.claude-sonnet-4-6"
POINT = {"cachePoint": {"type": "default"}}
CACHE = {
    "cacheReadInputTokens",
    "cacheReadInputTokenCount",
    "cacheWriteInputTokens",
    "cacheWriteInputTokenCount",
}


def told(
    operation: str = "ConverseStream",
    model_id: str = OLD,
    reason: str = "end_turn",
    cache: CacheUse | None = None,
    blocks: tuple[Any, ...] = (),
    **body: Any,
) -> dict[str, Any]:
    messages = [{"role": "user", "content": [{"text": "Hello there"}, *blocks]}]
    request = Request(operation, model_id, {}, {"messages": messages, **body}, cache=cache)
    return metadata(request, Said(3, 1.5, reason, 12), {}, {})


def test_what_is_counted() -> None:
    assert told() == {
        "metrics": {"latencyMs": 1500},
        "usage": {"inputTokens": 6, "outputTokens": 3, "serverToolUsage": {}, "totalTokens": 9},
    }


@pytest.mark.parametrize(
    ("operation", "model_id", "asked", "tells"),
    [
        ("ConverseStream", NEW, False, False),
        ("ConverseStream", NEW, True, True),
        ("ConverseStream", OLD, True, True),
        ("Converse", OLD, False, False),
        ("Converse", NEW, False, True),
        ("Converse", "amazon.nova-lite-v1:0", False, False),
        ("Converse", "amazon.nova-lite-v1:0", True, True),
    ],
)
def test_when_the_cache_is_told_of(operation: str, model_id: str, asked: bool, tells: bool) -> None:
    usage = told(operation, model_id, blocks=(POINT,) if asked else ())["usage"]
    assert usage.keys() & CACHE == (CACHE if tells else set())


def test_what_was_cached_is_not_counted_twice() -> None:
    cache = CacheUse(read=2, write=1, details=(("5m", 1),))
    usage = told("Converse", NEW, cache=cache, blocks=(POINT,))["usage"]
    whole = count_request({"messages": [{"role": "user", "content": [{"text": "Hello there"}, POINT]}]})
    assert usage["inputTokens"] == whole - 3
    assert usage["totalTokens"] == whole + 3
    assert (usage["cacheReadInputTokens"], usage["cacheWriteInputTokenCount"]) == (2, 1)
    assert usage["cacheDetails"] == [{"inputTokens": 1, "ttl": "5m"}]
    assert "cacheDetails" not in told("ConverseStream", NEW, cache=cache, blocks=(POINT,))["usage"]


def test_what_the_request_asks_for_is_said_to_be_given() -> None:
    asked: dict[str, Any] = {"performanceConfig": {"latency": "optimized"}, "serviceTier": {"type": "flex"}}
    assert told(**asked).items() >= asked.items()


@pytest.mark.parametrize(
    ("reason", "counts"), [("guardrail_intervened", (0, 0)), ("content_filtered", (1, 0))]
)
def test_what_is_blocked_costs_next_to_nothing(reason: str, counts: tuple[int, int]) -> None:
    usage = told(reason=reason)["usage"]
    assert (usage["inputTokens"], usage["outputTokens"], usage["totalTokens"]) == (*counts, sum(counts))


GUARDED = {
    "guardrailIdentifier": "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc",
    "guardrailVersion": "2",
}


def test_a_guardrail_reports_only_if_it_is_asked() -> None:
    assert "trace" not in told(guardrailConfig=GUARDED)
    assert "trace" not in told(guardrailConfig={**GUARDED, "trace": "disabled"})


def test_a_guardrail_that_did_nothing() -> None:
    report = told(guardrailConfig={**GUARDED, "trace": "enabled"})["trace"]["guardrail"]
    assert list(report) == ["actionReason", "inputAssessment", "modelOutput", "outputAssessments"]
    assert report["actionReason"] == "No action."
    (asked,), (answered,) = report["inputAssessment"].values(), report["outputAssessments"]["abc"]
    assert asked["appliedGuardrailDetails"]["guardrailVersion"] == "2"
    for assessed, characters in ((asked, 11), (answered, 12)):
        coverage = assessed["invocationMetrics"]["guardrailCoverage"]["textCharacters"]
        assert coverage == {"guarded": characters, "total": characters}


def test_a_guardrail_that_blocked_the_request() -> None:
    report = told(reason="guardrail_intervened", guardrailConfig={**GUARDED, "trace": "enabled_full"})[
        "trace"
    ]
    assert report["guardrail"]["actionReason"] == "Guardrail blocked."
    (topic,) = report["guardrail"]["inputAssessment"]["abc"]["topicPolicy"]["topics"]
    assert (topic["action"], topic["detected"]) == ("BLOCKED", True)
    assert "outputAssessments" not in report["guardrail"]
