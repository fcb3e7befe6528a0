"""Requests in the formats of the model families."""

from collections.abc import Mapping
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.native import judge
from converse_emulator.spelling.operations import read

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
GOOD = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 5,
    "messages": [{"role": "user", "content": "Hi"}],
}


def wrong(model_id: str, native: Mapping[str, Any], operation: str = "InvokeModel") -> str | None:
    content, _ = read(operation, model_id, {}, native)
    return judge(Request(operation, model_id, {}, content, native=native))


def malformed(what: str) -> str:
    return f"Malformed input request: {what}, please reformat your input and try again."


def test_nothing_is_wrong_with_what_is_in_order() -> None:
    assert wrong(CLAUDE, GOOD) is None
    assert wrong("stability.sd3-large-v1:0", {"anything": 1}) is None
    assert (
        wrong("amazon.nova-lite-v1:0", {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}) is None
    )


def test_one_violation_is_told() -> None:
    native = {name: value for name, value in GOOD.items() if name != "messages"}
    assert wrong(CLAUDE, native) == malformed("#: required key [messages] not found")
    assert wrong(CLAUDE, {**GOOD, "messages": {"role": "user"}}) == malformed(
        "#/messages: expected type: JSONArray, found: JSONObject"
    )
    assert wrong(CLAUDE, {**GOOD, "max_tokens": None}) == malformed(
        "#/max_tokens: expected type: Integer, found: Null"
    )


def test_several_violations_are_counted() -> None:
    assert wrong(CLAUDE, {}) == malformed("3 schema violations found")


@pytest.mark.parametrize("messages", [[1], [{"role": "user"}], [{"role": "user", "content": "Hi"}]])
def test_novas_messages_are_judged_like_converses(messages: list[Any]) -> None:
    assert "schema violations found" in str(wrong("amazon.nova-lite-v1:0", {"messages": messages}))


@pytest.mark.parametrize("model_id", ["amazon.titan-embed-text-v1", "amazon.nova-canvas-v1:0"])
def test_what_cannot_be_streamed(model_id: str) -> None:
    told = wrong(model_id, {"taskType": "TEXT_IMAGE"}, "InvokeModelWithResponseStream")
    assert told == "The model is unsupported for streaming."
    assert wrong(model_id, {"taskType": "TEXT_IMAGE"}) is None


def test_a_model_id_that_is_none() -> None:
    assert "modelId" in str(wrong("what is this?", GOOD))
