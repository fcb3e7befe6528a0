"""What each family says natively, word for word: the same answer as a body and as chunks.

The forms of Claude, Nova, Titan, Llama, Mistral, Cohere, Jamba and OpenAI are as recorded, but for what their
modules call inferred.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.language.scenario import Citation, Reasoning, Reply, Step, Stop, Text, ToolUse, Wait
from converse_emulator.playing.acts import Head, Send, Timeline
from converse_emulator.spelling.operations import read
from converse_emulator.spelling.timeline import compile_reply

BODY, STREAM = "InvokeModel", "InvokeModelWithResponseStream"
HI = [{"role": "user", "content": "Hi"}]
CLAUDE = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99, "messages": HI}


def told(operation: str, model_id: str, native: Mapping[str, Any], *reply: Step, **headers: str) -> Timeline:
    lowered = {name.replace("_", "-"): value for name, value in headers.items()}
    content, _ = read(operation, model_id, lowered, native)
    request = Request(operation, model_id, lowered, content, native=native)
    return compile_reply(reply, request, seed="7", now=1_790_214_869.5)


def body(model_id: str, native: Mapping[str, Any], *reply: Step) -> str:
    (data,) = [
        beat.act.data for beat in told(BODY, model_id, native, *reply).beats if isinstance(beat.act, Send)
    ]
    return data.decode()


def chunks(model_id: str, native: Mapping[str, Any], *reply: Step) -> list[str]:
    return list(inner(told(STREAM, model_id, native, *reply)))


def inner(timeline: Timeline) -> Iterator[str]:
    for beat in timeline.beats:
        if isinstance(beat.act, Send):
            for message in Decoder().feed(beat.act.data):
                yield base64.b64decode(json.loads(message.payload)["bytes"]).decode()


def metrics(said: int, latency: int = 0, first: int = 0) -> str:
    counts = f'"inputTokenCount":5,"outputTokenCount":{said}'
    times = f'"invocationLatency":{latency},"firstByteLatency":{first}'
    return f'"amazon-bedrock-invocationMetrics":{{{counts},{times}}}'


def without_ids(text: str) -> Any:
    """The document with its ids as their forms."""
    return json.loads(
        text, object_pairs_hook=lambda pairs: {name: _form(name, value) for name, value in pairs}
    )


def _form(name: str, value: Any) -> Any:
    if name in ("id", "response_id", "generation_id") and isinstance(value, str):
        return f"{value[:11]}…{len(value)}"
    return value


# ---------------------------------------------------------------------------------------------- Claude


def test_claudes_events() -> None:
    reply = (Reasoning("Hm", "c2ln"), Text("Hi you"), ToolUse("look", {"a": 1}, "toolu_1", split="whole"))
    assert chunks("us.anthropic.claude-haiku-4-5-20251001-v1:0", CLAUDE, *reply) == [
        '{"type":"message_start","message":{"model":"claude-haiku-4-5-20251001",'
        '"id":"msg_bdrk_01HSXiNsntU5CgsCAjBNyhCA","type":"message","role":"assistant","content":[],'
        '"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,'
        '"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,'
        '"ephemeral_1h_input_tokens":0},"output_tokens":1}}}',
        '{"type":"content_block_start","index":0,'
        '"content_block":{"type":"thinking","thinking":"","signature":""}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}',
        '{"type":"content_block_stop","index":0}',
        '{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}',
        '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hi "}}',
        '{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"you"}}',
        '{"type":"content_block_stop","index":1}',
        '{"type":"content_block_start","index":2,'
        '"content_block":{"type":"tool_use","id":"toolu_1","name":"look","input":{}}}',
        '{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}',
        '{"type":"content_block_delta","index":2,'
        '"delta":{"type":"input_json_delta","partial_json":"{\\"a\\": 1}"}}',
        '{"type":"content_block_stop","index":2}',
        '{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},'
        '"usage":{"output_tokens":9}}',
        '{"type":"message_stop",' + metrics(9) + "}",
    ]


def test_claudes_body_by_age() -> None:
    old = json.loads(body("anthropic.claude-3-haiku-20240307-v1:0", CLAUDE, Text("Hi")))
    new = json.loads(body("us.anthropic.claude-sonnet-4-20250514-v1:0", CLAUDE, Text("Hi")))
    rest = ["content", "stop_reason", "stop_sequence", "usage"]
    assert list(old) == ["id", "type", "role", "model", *rest]
    assert list(new) == ["model", "id", "type", "role", *rest]
    assert list(old["usage"]) == ["input_tokens", "output_tokens"]
    assert list(new["usage"]) == [
        "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens",
    ]  # fmt: skip


def test_claudes_blocks_in_a_body() -> None:
    reply = (
        Reasoning("Hm", "c2ln"),
        Reasoning(redacted=b"hidden"),
        Citation({"title": "T", "location": {"documentChar": {"documentIndex": 0, "start": 1, "end": 2}}}),
        Text("Hi"),
        ToolUse("look", {"a": 1}, "toolu_1"),
    )
    message = json.loads(body("anthropic.claude-3-haiku-20240307-v1:0", CLAUDE, *reply))
    assert message["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "aGlkZGVu"},
        {
            "citations": [
                {
                    "type": "char_location",
                    "cited_text": "",
                    "document_index": 0,
                    "document_title": "T",
                    "start_char_index": 1,
                    "end_char_index": 2,
                }
            ],
            "type": "text",
            "text": "Hi",
        },
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}},
    ]
    assert message["stop_reason"] == "tool_use"


def test_claude_tells_which_sequence_stopped_it() -> None:
    native = {**CLAUDE, "stop_sequences": ["END", "!"]}
    message = json.loads(body("anthropic.claude-3-haiku-20240307-v1:0", native, Text("Hi there! END")))
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "!")
    assert message["content"][0]["text"] == "Hi there"
    delta = json.loads(chunks("anthropic.claude-3-haiku-20240307-v1:0", native, Text("Hi END"))[-2])["delta"]
    assert delta == {"stop_reason": "stop_sequence", "stop_sequence": "END"}


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("anthropic.claude-v2", "claude-2.0"),
        ("anthropic.claude-v2:1", "claude-2.1"),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "claude-3-5-sonnet-20240620"),
        ("eu.anthropic.claude-sonnet-4-6", "claude-sonnet-4-6"),
    ],
)
def test_how_claude_calls_itself(model_id: str, name: str) -> None:
    assert json.loads(body(model_id, CLAUDE, Text("Hi")))["model"] == name


def test_claudes_older_format() -> None:
    native = {"prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 99}
    assert body("anthropic.claude-v2:1", native, Text(" Hi")) == (
        '{"type":"completion","completion":" Hi","stop_reason":"stop_sequence","stop":"\\n\\nHuman:"}'
    )
    first, last = map(json.loads, chunks("anthropic.claude-v2:1", native, Text("Hi"), Stop("max_tokens")))
    assert first == {"type": "completion", "completion": "Hi", "stop_reason": None, "stop": None}
    assert (last["stop_reason"], last["stop"]) == ("max_tokens", None)


# ------------------------------------------------------------------------------------------------ Nova

NOVA = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
NOVA_METRICS = metrics(3).removesuffix("}") + ',"cacheReadInputTokenCount":0,"cacheWriteInputTokenCount":0}'


def test_novas_chunks() -> None:
    reply = (Text("Hi you"), ToolUse("a", {}, "id-1"), ToolUse("b", {}, "id-2"), Text("!"), Stop("end_turn"))
    made = chunks("amazon.nova-micro-v1:0", NOVA, *reply)
    assert made[:12] == [
        '{"messageStart":{"role":"assistant"}}',
        '{"contentBlockDelta":{"delta":{"text":"Hi "},"contentBlockIndex":0}}',
        '{"contentBlockStop":{"contentBlockIndex":0}}',
        '{"contentBlockDelta":{"delta":{"text":"you"},"contentBlockIndex":1}}',
        '{"contentBlockStop":{"contentBlockIndex":1}}',
        '{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"id-1","name":"a"}},"contentBlockIndex":2}}',
        '{"contentBlockDelta":{"delta":{"toolUse":{"input":"{}"}},"contentBlockIndex":2}}',
        '{"contentBlockStop":{"contentBlockIndex":2}}',
        '{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"id-2","name":"b"}},"contentBlockIndex":4}}',
        '{"contentBlockDelta":{"delta":{"toolUse":{"input":"{}"}},"contentBlockIndex":4}}',
        '{"contentBlockStop":{"contentBlockIndex":4}}',
        '{"contentBlockDelta":{"delta":{"text":"!"},"contentBlockIndex":6}}',
    ]


def test_novas_end_and_its_body() -> None:
    assert chunks("amazon.nova-micro-v1:0", NOVA, Text("One two three"))[-2:] == [
        '{"messageStop":{"stopReason":"end_turn"}}',
        '{"metadata":{"usage":{"inputTokens":5,"outputTokens":3,"cacheReadInputTokenCount":0,'
        '"cacheWriteInputTokenCount":0},"metrics":{},"trace":{}},' + NOVA_METRICS + "}",
    ]
    assert body("amazon.nova-micro-v1:0", NOVA, Text("Hi")) == (
        '{"output":{"message":{"content":[{"text":"Hi"}],"role":"assistant"}},"stopReason":"end_turn",'
        '"usage":{"inputTokens":5,"outputTokens":1,"totalTokens":6,"cacheReadInputTokenCount":0,'
        '"cacheWriteInputTokenCount":0}}'
    )


# ------------------------------------------------------------------------------------- text, continued


def test_titan() -> None:
    native = {"inputText": "Hi"}
    assert chunks("amazon.titan-text-express-v1", native, Text("Hi you"), Stop("max_tokens")) == [
        '{"outputText":"Hi you","index":0,"totalOutputTextTokenCount":2,"completionReason":"LENGTH",'
        '"inputTextTokenCount":5,' + metrics(2) + "}"
    ]
    assert chunks("amazon.titan-text-express-v1", native, Text("a"), Text("b")) == [
        '{"outputText":"a","index":0,"totalOutputTextTokenCount":null,"completionReason":null,'
        '"inputTextTokenCount":5}',
        '{"outputText":"b","index":0,"totalOutputTextTokenCount":2,"completionReason":"FINISH",'
        '"inputTextTokenCount":null,' + metrics(2) + "}",
    ]
    assert body("amazon.titan-text-express-v1", native, Text("Hi")) == (
        '{"inputTextTokenCount":5,"results":[{"tokenCount":1,"outputText":"Hi","completionReason":"FINISH"}]}'
    )


def test_llama() -> None:
    native = {"prompt": "Hi"}
    first = '{"generation":"Hi ","prompt_token_count":5,"generation_token_count":1,"stop_reason":null}'
    second = '{"generation":"you","prompt_token_count":null,"generation_token_count":2,"stop_reason":'
    assert chunks("meta.llama3-8b-instruct-v1:0", native, Text("Hi you"), Stop("max_tokens")) == [
        first,
        second + '"length",' + metrics(2) + "}",
    ]
    assert chunks("meta.llama3-8b-instruct-v1:0", native, Text("Hi you")) == [
        first,
        second + "null}",
        '{"generation":"","prompt_token_count":null,"generation_token_count":2,"stop_reason":"stop",'
        + metrics(2)
        + "}",
    ]
    assert body("meta.llama3-8b-instruct-v1:0", native, Text("Hi")) == (
        '{"generation":"Hi","prompt_token_count":5,"generation_token_count":1,"stop_reason":"stop"}'
    )


@pytest.mark.parametrize(
    ("model_id", "member"),
    [("mistral.mistral-7b-instruct-v0:2", "outputs"), ("us.deepseek.r1-v1:0", "choices")],
)
def test_mistral_and_deepseek(model_id: str, member: str) -> None:
    native = {"prompt": "Hi"}
    assert chunks(model_id, native, Text("Hi")) == [
        f'{{"{member}":[{{"text":"Hi","stop_reason":null}}]}}',
        f'{{"{member}":[{{"text":"","stop_reason":"stop"}}],{metrics(1)}}}',
    ]
    assert chunks(model_id, native, Text("Hi"), Stop("max_tokens")) == [
        f'{{"{member}":[{{"text":"Hi","stop_reason":"length"}}],{metrics(1)}}}',
    ]
    assert body(model_id, native, Text("Hi")) == f'{{"{member}":[{{"text":"Hi","stop_reason":"stop"}}]}}'


def test_deepseek_thinks_aloud() -> None:
    reply = (Reasoning("Hm."), Text("Hi"))
    assert json.loads(body("us.deepseek.r1-v1:0", {"prompt": "Hi"}, *reply)) == {
        "choices": [{"text": "Hm.\n</think>\n\nHi", "stop_reason": "stop"}]
    }
    said = [
        json.loads(chunk)["choices"][0]["text"]
        for chunk in chunks("us.deepseek.r1-v1:0", {"prompt": "Hi"}, *reply)
    ]
    assert "".join(said) == "Hm.\n</think>\n\nHi"


def test_cohere_command() -> None:
    native = {"prompt": "Hi"}
    whole = '{"id":"…","generations":[{"id":"…","text":"Hi you","finish_reason":"COMPLETE"}],"prompt":"Hi"'
    (chunk,) = chunks("cohere.command-text-v14", native, Text("Hi you"))
    assert nameless(chunk) == whole + "," + metrics(2) + "}"
    assert nameless(body("cohere.command-text-v14", native, Text("Hi you"))) == whole + "}"
    assert chunks(
        "cohere.command-text-v14", {**native, "stream": True}, Text("Hi you"), Stop("max_tokens")
    ) == [
        '{"is_finished":false,"text":"Hi "}',
        '{"is_finished":false,"text":"you"}',
        '{"finish_reason":"MAX_TOKENS","is_finished":true,' + metrics(2) + "}",
    ]


def nameless(text: str) -> str:
    """The text with its ids left out."""
    document = json.loads(
        text, object_pairs_hook=lambda pairs: {k: "…" if k == "id" else v for k, v in pairs}
    )
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def test_cohere_command_r() -> None:
    native = {"message": "Hi", "chat_history": [{"role": "USER", "message": "Hello"}]}
    *said, last = chunks("cohere.command-r-v1:0", native, Text("Hi you"))
    assert said == [
        '{"is_finished":false,"event_type":"text-generation","text":"Hi "}',
        '{"is_finished":false,"event_type":"text-generation","text":"you"}',
    ]
    end = without_ids(last)
    assert list(end) == [
        "is_finished", "event_type", "response", "finish_reason", "amazon-bedrock-invocationMetrics",
    ]  # fmt: skip
    assert list(end["response"]) == [
        "response_id", "text", "generation_id", "chat_history", "finish_reason", "meta",
    ]  # fmt: skip
    whole = without_ids(body("cohere.command-r-v1:0", native, Text("Hi you")))
    assert whole == {name: value for name, value in end["response"].items() if name != "meta"}
    assert whole["chat_history"] == [
        {"role": "USER", "message": "Hello"},
        {"role": "USER", "message": "Hi"},
        {"role": "CHATBOT", "message": "Hi you"},
    ]
    assert whole["response_id"].endswith("…45")


# ------------------------------------------------------------------------------------ chat completions

CHAT = {"messages": HI}


def test_jamba() -> None:
    made = [without_ids(chunk) for chunk in chunks("ai21.jamba-1-5-mini-v1:0", CHAT, Wait(0.2), Text("Hi"))]
    usage = {"prompt_tokens": 5, "total_tokens": 6, "completion_tokens": 1}
    name = "chatcmpl-21…45"
    assert [chunk.get("id", "")[:9] for chunk in made] == ["chatcmpl-"] * 3 + [""]
    assert len(name) == len(made[0]["id"])
    assert [{key: value for key, value in chunk.items() if key != "id"} for chunk in made] == [
        {
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}],
            "usage": {"prompt_tokens": 5, "total_tokens": 5, "completion_tokens": 0},
        },
        {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}], "usage": usage},
        {
            "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop", "stop_reason": 518}],
            "usage": usage,
            "meta": {"requestDurationMillis": 200},
        },
        json.loads("{" + metrics(1, 200, 200) + "}"),
    ]
    whole = without_ids(body("ai21.jamba-1-5-mini-v1:0", CHAT, Text("Hi")))
    assert list(whole) == ["id", "choices", "usage", "meta", "model"]
    assert whole["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "tool_calls": None},
            "finish_reason": "stop",
        }
    ]
    assert whole["model"] == "jamba-1.5-mini"


def test_gpt_oss() -> None:
    made = [
        json.loads(chunk)
        for chunk in chunks("openai.gpt-oss-120b-1:0", CHAT, Reasoning("Hm."), Text("Hi you"))
    ]
    assert [chunk["choices"][0]["delta"] for chunk in made] == [
        {"content": "", "role": "assistant"},
        {"content": "<reasoning>Hm.</reasoning>"},
        {"content": "Hi you"},
        {},
    ]
    assert {tuple(chunk["choices"][0]) for chunk in made} == {
        ("delta", "finish_reason", "index", "obfuscation")
    }
    assert list(made[0]) == ["choices", "created", "id", "model", "obfuscation", "object", "service_tier"]
    assert (made[0]["created"], made[0]["model"]) == (1_790_214_869, "openai.gpt-oss-120b-1:0")
    assert made[-1]["choices"][0]["finish_reason"] == "stop"
    assert list(made[-1])[-1] == "amazon-bedrock-invocationMetrics"
    whole = json.loads(body("openai.gpt-oss-120b-1:0", CHAT, Reasoning("Hm."), Text("Hi")))
    assert whole["choices"][0]["message"]["content"] == "<reasoning>Hm.</reasoning>Hi"
    assert whole["usage"] == {"completion_tokens": 3, "prompt_tokens": 5, "total_tokens": 8}


def test_other_models_of_openai() -> None:
    made = [json.loads(chunk) for chunk in chunks("us.openai.gpt-6-sol", CHAT, Text("Hi"))]
    assert list(made[0]) == [
        "choices", "created", "id", "model", "object", "service_tier", "system_fingerprint", "usage",
        "obfuscation",
    ]  # fmt: skip
    assert made[0]["choices"] == [
        {"delta": {"content": "", "role": "assistant", "refusal": None}, "finish_reason": None, "index": 0}
    ]
    whole = json.loads(body("us.openai.gpt-6-sol", CHAT, Text("Hi")))
    assert list(whole["choices"][0]["message"]) == ["annotations", "content", "refusal", "role"]


@pytest.mark.parametrize(
    ("model_id", "reason"),
    [
        ("openai.gpt-oss-20b-1:0", "tool_calls"),
        ("ai21.jamba-1-5-large-v1:0", "tool_calls"),
        ("us.mistral.pixtral-large-2502-v1:0", "tool_calls"),
        ("qwen.qwen3-32b-v1:0", "tool_calls"),
    ],
)
def test_tool_calls_in_chat_completions(model_id: str, reason: str) -> None:
    call = ToolUse("look", {"a": "ü"}, "call-1", split=('{"a"', ': "ü"}'))
    choice = json.loads(body(model_id, CHAT, call))["choices"][0]
    (made,) = choice["message"]["tool_calls"]
    assert (made["id"], made["function"]) == ("call-1", {"name": "look", "arguments": '{"a": "ü"}'})
    assert choice.get("finish_reason", choice.get("stop_reason")) == reason
    streamed = [json.loads(chunk) for chunk in chunks(model_id, CHAT, call)]
    deltas = [chunk["choices"][0] for chunk in streamed if "choices" in chunk]
    said = [each.get("delta", each.get("message")).get("tool_calls", []) for each in deltas]
    assert "".join(call["function"]["arguments"] for calls in said for call in calls) == '{"a": "ü"}'


# --------------------------------------------------------------------------------------------- headers


def test_the_headers_of_a_body() -> None:
    timeline = told(BODY, "anthropic.claude-3-haiku-20240307-v1:0", CLAUDE, Wait(0.5), Text("Hi you"))
    assert headers(timeline)[5:] == [
        ("X-Amzn-Bedrock-Invocation-Latency", "500"),
        ("X-Amzn-Bedrock-Output-Token-Count", "2"),
        ("X-Amzn-Bedrock-Input-Token-Count", "5"),
    ]
    assert [name for name, _ in headers(told(BODY, "amazon.nova-lite-v1:0", NOVA, Text("Hi")))][5:] == [
        "X-Amzn-Bedrock-Invocation-Latency",
        "X-Amzn-Bedrock-Cache-Write-Input-Token-Count",
        "X-Amzn-Bedrock-Cache-Read-Input-Token-Count",
        "X-Amzn-Bedrock-Output-Token-Count",
        "X-Amzn-Bedrock-Input-Token-Count",
    ]


def headers(timeline: Timeline) -> list[tuple[str, str]]:
    (head,) = [beat.act for beat in timeline.beats if isinstance(beat.act, Head)]
    return list(head.headers)


def test_what_a_request_asks_for_in_headers_is_said_to_be_given() -> None:
    asked = {
        "x_amzn_bedrock_performanceconfig_latency": "optimized",
        "x_amzn_bedrock_service_tier": "priority",
    }
    for operation in (BODY, STREAM):
        timeline = told(operation, "anthropic.claude-3-haiku-20240307-v1:0", CLAUDE, Text("Hi"), **asked)
        assert headers(timeline)[-2:] == [
            ("X-Amzn-Bedrock-PerformanceConfig-Latency", "optimized"),
            ("X-Amzn-Bedrock-Service-Tier", "priority"),
        ]


def test_a_guardrail() -> None:
    asked = {
        "x_amzn_bedrock_guardrailidentifier": "guardrail1234",
        "x_amzn_bedrock_guardrailversion": "DRAFT",
        "x_amzn_bedrock_trace": "ENABLED",
    }
    reply: Reply = (Text("Blocked."), Stop("guardrail_intervened"))
    timeline = told(BODY, "anthropic.claude-3-haiku-20240307-v1:0", CLAUDE, *reply, **asked)
    (sent,) = [json.loads(beat.act.data) for beat in timeline.beats if isinstance(beat.act, Send)]
    assert list(sent)[-2:] == ["amazon-bedrock-guardrailAction", "amazon-bedrock-trace"]
    assert sent["amazon-bedrock-guardrailAction"] == "INTERVENED"
    assert sent["amazon-bedrock-trace"]["guardrail"]["actionReason"] == "Guardrail blocked."
    assert (sent["stop_reason"], sent["usage"]) == ("end_turn", {"input_tokens": 0, "output_tokens": 0})
    streamed = [
        json.loads(chunk)
        for chunk in inner(told(STREAM, "amazon.titan-text-lite-v1", {"inputText": "Hi"}, *reply, **asked))
    ]
    assert list(streamed[-1])[-3:] == [
        "amazon-bedrock-guardrailAction", "amazon-bedrock-trace", "amazon-bedrock-invocationMetrics",
    ]  # fmt: skip
    passed = told(BODY, "anthropic.claude-3-haiku-20240307-v1:0", CLAUDE, Text("Hi"), **asked)
    (sent,) = [json.loads(beat.act.data) for beat in passed.beats if isinstance(beat.act, Send)]
    assert sent["amazon-bedrock-guardrailAction"] == "NONE"
