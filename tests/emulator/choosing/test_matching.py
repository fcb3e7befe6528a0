"""Matching explains itself: no difference is a match, a difference says what was wanted and what came."""

from typing import Any

import pytest
from converse_emulator.choosing.conversation import answers, last_user_text, messages, tool_results
from converse_emulator.choosing.matching import Difference, difference
from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Match


def said(role: str, *blocks: Any) -> dict[str, Any]:
    return {
        "role": role,
        "content": [{"text": block} if isinstance(block, str) else block for block in blocks],
    }


def called(name: str, call: str) -> dict[str, Any]:
    return {"toolUse": {"name": name, "toolUseId": call, "input": {}}}


def brought(call: str) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": call, "content": [{"text": "a refund"}]}}


CONVERSATION = [
    said("user", "Hello,", "I want my Money back."),
    said("assistant", "Let me see.", called("lookup", "t1"), called("status", "t2")),
    said("user", brought("t2"), brought("t9")),
]
REQUEST = Request(
    operation="ConverseStream",
    model_id="anthropic.claude-3-haiku",
    headers={"x-test": "alpha", "user-agent": "Boto3/1.43"},
    body={"messages": CONVERSATION},
)


@pytest.mark.parametrize(
    "match",
    [
        Match(),
        Match(operation="ConverseStream"),
        Match(model="anthropic.*"),
        Match(model="*haiku"),
        Match(prompt="money BACK"),
        Match(prompt="/Mon[ae]y back\\.$/"),
        Match(tool_result="status"),
        Match(tool_result="t9"),
        Match(call=2),
        Match(header={"X-Test": "al*", "user-agent": "Boto3/*"}),
    ],
    ids=str,
)
def test_a_match_has_no_difference(match: Match) -> None:
    assert difference(REQUEST, match, call=2) == []


def test_a_single_slash_is_text() -> None:
    request = Request("Converse", "m", {}, {"messages": [said("user", "1/2")]})
    assert difference(request, Match(prompt="/"), call=1) == []


@pytest.mark.parametrize(
    ("match", "told"),
    [
        (Match(operation="Converse"), "operation: wanted Converse, got ConverseStream"),
        (Match(model="amazon.*"), "model: wanted amazon.*, got anthropic.claude-3-haiku"),
        (Match(prompt="refund"), "prompt: wanted refund, got 'Hello,\\nI want my Money back.'"),
        (Match(prompt="/money/"), "prompt: wanted /money/, got 'Hello,\\nI want my Money back.'"),
        (Match(tool_result="lookup"), "tool_result: wanted lookup, got status, t9"),
        (Match(call=1), "call: wanted 1, got 2"),
        (Match(header={"X-Test": "beta"}), "header X-Test: wanted beta, got alpha"),
        (Match(header={"x-other": "*"}), "header x-other: wanted *, got none"),
    ],
    ids=str,
)
def test_a_difference_explains_itself(match: Match, told: str) -> None:
    assert [str(each) for each in difference(REQUEST, match, call=2)] == [told]


def test_all_differences_are_told() -> None:
    match = Match("Converse", "amazon.*", "refund", "lookup", 1, {"x-test": "beta"})
    fields = ["operation", "model", "call", "prompt", "tool_result", "header x-test"]
    assert [each.field for each in difference(REQUEST, match, call=2)] == fields


def test_a_long_prompt_is_shortened() -> None:
    request = Request("Converse", "m", {}, {"messages": [said("user", "x" * 1000)]})
    (found,) = difference(request, Match(prompt="y"), call=1)
    assert found == Difference("prompt", "y", repr("x" * 80 + "…"))


def test_a_conversation_is_read() -> None:
    body = {"messages": CONVERSATION}
    assert [message.role for message in messages(body)] == ["user", "assistant", "user"]
    assert last_user_text(body) == "Hello,\nI want my Money back."
    assert (answers(body), answers(body, since=2)) == (1, 0)
    assert tool_results(body) == ["status", "t9"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": None},
        {"messages": "x"},
        {"messages": [None, 1, "x", [], {}]},
        {"messages": [{"role": ["user"], "content": {"text": "x"}}]},
        {
            "messages": [
                {"role": "user", "content": [None, "x", {"text": 1}, {"toolResult": "x"}, {"toolResult": {}}]}
            ]
        },
        {"messages": [{"role": "assistant", "content": [{"toolUse": {"toolUseId": [1]}}]}]},
    ],
    ids=str,
)
def test_any_json_can_be_looked_at(body: Any) -> None:
    assert last_user_text(body) == ""
    assert answers(body) in (0, 1)
    assert set(tool_results(body)) <= {"None"}
