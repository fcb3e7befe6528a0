"""Native requests, read into the form of Converse: prompts, messages, limits, tools."""

from collections.abc import Mapping
from typing import Any

import pytest
from converse_emulator.scripting.prompt_cache import has_cache_point
from converse_emulator.spelling.operations import read

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def understood(model_id: str, native: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
    return read("InvokeModel", model_id, headers or {}, native)[0]


def user(*texts: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": text} for text in texts]}


def test_converse_is_not_read_at_all() -> None:
    body: dict[str, Any] = {"messages": []}
    assert read("Converse", CLAUDE, {}, body) == (body, None)


@pytest.mark.parametrize(
    ("model_id", "native", "inference"),
    [
        ("anthropic.claude-v2", {"prompt": "Hi", "max_tokens_to_sample": 3, "stop_sequences": ["x"]}, True),
        (
            "amazon.titan-text-lite-v1",
            {"inputText": "Hi", "textGenerationConfig": {"maxTokenCount": 3, "stopSequences": ["x"]}},
            True,
        ),
        ("meta.llama3-8b-instruct-v1:0", {"prompt": "Hi", "max_gen_len": 3}, False),
        ("mistral.mistral-7b-instruct-v0:2", {"prompt": "Hi", "max_tokens": 3, "stop": ["x"]}, True),
        ("cohere.command-text-v14", {"prompt": "Hi", "max_tokens": 3, "stop_sequences": ["x"]}, True),
        ("us.deepseek.r1-v1:0", {"prompt": "Hi", "max_tokens": 3, "stop": "x"}, True),
        ("cohere.command-r-v1:0", {"message": "Hi", "max_tokens": 3, "stop_sequences": ["x"]}, True),
        (
            "amazon.nova-lite-v1:0",
            {"messages": [user("Hi")], "inferenceConfig": {"max_new_tokens": 3, "stopSequences": ["x"]}},
            True,
        ),
        (
            "ai21.jamba-1-5-mini-v1:0",
            {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3, "stop": ["x"]},
            True,
        ),
        (
            "openai.gpt-oss-120b-1:0",
            {"messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 3, "stop": "x"},
            True,
        ),
        (
            CLAUDE,
            {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3, "stop_sequences": ["x"]},
            True,
        ),
    ],
)
def test_what_is_asked_and_its_limits(model_id: str, native: Mapping[str, Any], inference: bool) -> None:
    limits = {"maxTokens": 3, "stopSequences": ["x"]} if inference else {"maxTokens": 3}
    assert understood(model_id, native) == {"messages": [user("Hi")], "inferenceConfig": limits}


@pytest.mark.parametrize("most", [0, -1, True, 1.5, "3", None])
def test_a_limit_that_is_none_is_left_out(most: Any) -> None:
    native = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": most, "stop_sequences": ["", 3]}
    assert understood(CLAUDE, native) == {"messages": [user("Hi")]}


def test_claudes_blocks() -> None:
    native = {
        "system": "Be brief.",
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "Hi"}, {"type": "image", "source": {"data": "aGk="}}],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": "x"},
                    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "found", "is_error": True},
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_2",
                        "content": [{"type": "text", "text": "b"}],
                    },
                ],
            },
        ],
        "tools": [
            {"name": "look", "description": "Looks.", "input_schema": SCHEMA},
            {"type": "bash_20250124", "name": "bash"},
        ],
        "tool_choice": {"type": "tool", "name": "look"},
    }
    assert understood(CLAUDE, native) == {
        "messages": [
            {"role": "user", "content": [{"text": "Hi"}, {"image": {"source": {"bytes": "aGk="}}}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "Hm"}}},
                    {"toolUse": {"toolUseId": "toolu_1", "name": "look", "input": {"a": 1}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": "toolu_1",
                            "content": [{"text": "found"}],
                            "status": "error",
                        }
                    },
                    {"toolResult": {"toolUseId": "toolu_2", "content": [{"text": "b"}]}},
                ],
            },
        ],
        "system": [{"text": "Be brief."}],
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "look", "description": "Looks.", "inputSchema": {"json": SCHEMA}}},
            ],
            "toolChoice": {"tool": {"name": "look"}},
        },
    }


def test_what_claude_is_to_cache() -> None:
    block = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    body = understood(CLAUDE, {"messages": [{"role": "user", "content": [block]}]})
    assert body["messages"][0]["content"] == [
        {"text": "Hi"},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
    ]
    assert has_cache_point(body)


@pytest.mark.parametrize("place", ["output_format", "output_config"])
def test_a_schema_that_claude_is_to_keep(place: str) -> None:
    wanted: dict[str, Any] = {"type": "json_schema", "schema": SCHEMA}
    native: dict[str, Any] = {
        "messages": [],
        place: wanted if place == "output_format" else {"format": wanted},
    }
    config = understood(CLAUDE, native)["outputConfig"]["textFormat"]
    assert config["type"] == "json_schema"
    assert '"properties"' in config["structure"]["jsonSchema"]["schema"]


def test_chat_completions() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
    native: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Always."}]},
            {
                "role": "user",
                "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {}}],
            },
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "found"},
        ],
        "tools": [{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}],
        "tool_choice": "required",
        "response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
    }
    body = understood("openai.gpt-oss-120b-1:0", native)
    assert body["system"] == [{"text": "Be brief."}, {"text": "Always."}]
    assert body["messages"] == [
        user("Hi"),
        {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": "c1", "name": "look", "input": {"a": 1}}}],
        },
        {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "found"}]}}]},
    ]
    assert body["toolConfig"]["toolChoice"] == {"any": {}}
    assert "outputConfig" in body


def test_command_rs_history_tools_and_results() -> None:
    native = {
        "message": "And now?",
        "chat_history": [{"role": "USER", "message": "Hi"}, {"role": "CHATBOT", "message": "Hello"}],
        "preamble": "Be brief.",
        "tools": [
            {
                "name": "look",
                "description": "Looks.",
                "parameter_definitions": {
                    "a": {"type": "str", "required": True},
                    "n": {"type": "int"},
                },
            }
        ],
        "tool_results": [{"call": {"name": "look", "parameters": {"a": "x"}}, "outputs": [{"b": 1}]}],
    }
    body = understood("cohere.command-r-plus-v1:0", native)
    assert [message["role"] for message in body["messages"]] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert body["messages"][-1]["content"] == [
        {"toolResult": {"toolUseId": "call-look", "content": [{"json": {"b": 1}}]}}
    ]
    schema = body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]
    assert schema == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "n": {"type": "integer"}},
        "required": ["a"],
    }


def test_a_guardrail_is_named_in_headers() -> None:
    headers = {"x-amzn-bedrock-guardrailidentifier": "g", "x-amzn-bedrock-trace": "ENABLED"}
    body = understood("amazon.titan-text-lite-v1", {"inputText": "Hi"}, headers)
    assert body["guardrailConfig"] == {"guardrailIdentifier": "g", "trace": "enabled"}


@pytest.mark.parametrize(
    "native", [{"prompt": "Hi"}, {"inputText": "Hi"}, {"messages": [{"role": "user", "content": "Hi"}]}]
)
def test_of_an_unknown_format_what_looks_like_a_prompt_is_read(native: Mapping[str, Any]) -> None:
    assert understood("stability.sd3-large-v1:0", native)["messages"] == [user("Hi")]
