"""Laws of native requests and answers: no body is a crash, and every family says what is scripted."""

import base64
import json
from random import Random
from typing import Any

import pytest
from converse_emulator.answering.answer import automatic_reply
from converse_emulator.choosing.conversation import last_user_text
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.language.scenario import Split, Text
from converse_emulator.native import judge
from converse_emulator.playing.acts import Send, Timeline
from converse_emulator.playing.spoken import text_of_answer, text_of_stream
from converse_emulator.spelling.operations import read
from converse_emulator.spelling.timeline import compile_reply
from hypothesis import given, settings
from hypothesis import strategies as st

BODY, STREAM = "InvokeModel", "InvokeModelWithResponseStream"
CHAT = {"messages": [{"role": "user", "content": "Hi"}]}
PROMPT = {"prompt": "Hi"}
# A model of each format and a request that is in order.
FORMATS: dict[str, dict[str, Any]] = {
    "anthropic.claude-3-haiku-20240307-v1:0": {**CHAT, "anthropic_version": "x", "max_tokens": 9999},
    "anthropic.claude-v2:1": {**PROMPT, "max_tokens_to_sample": 9999},
    "amazon.nova-lite-v1:0": {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
    "amazon.titan-text-lite-v1": {"inputText": "Hi"},
    "meta.llama3-8b-instruct-v1:0": PROMPT,
    "mistral.mistral-7b-instruct-v0:2": PROMPT,
    "mistral.pixtral-large-2502-v1:0": CHAT,
    "cohere.command-text-v14": {**PROMPT, "stream": True},
    "cohere.command-light-text-v14": PROMPT,
    "cohere.command-r-v1:0": {"message": "Hi"},
    "ai21.jamba-1-5-mini-v1:0": CHAT,
    "us.deepseek.r1-v1:0": PROMPT,
    "openai.gpt-oss-120b-1:0": CHAT,
    "us.openai.gpt-6-sol": CHAT,
    "qwen.qwen3-32b-v1:0": CHAT,
}
each_format = pytest.mark.parametrize("model_id", FORMATS)
law = settings(deadline=None, max_examples=40)

TEXTS = st.text(min_size=1, max_size=40).filter(lambda text: text.encode("utf-8", "replace").decode() == text)
# The names and words that formats know, so that what is generated is looked at.
NAMES = [
    "messages", "role", "content", "text", "type", "source", "data", "tool_use", "tool_result", "tools",
    "tool_calls", "function", "name", "arguments", "parameters", "system", "prompt", "message",
    "chat_history", "tool_results", "call", "outputs", "parameter_definitions", "inputText",
    "textGenerationConfig", "inferenceConfig", "maxTokens", "max_tokens", "stop", "stop_sequences",
    "toolConfig", "texts", "imageGenerationConfig", "textToImageParams", "width", "cache_control",
    "response_format", "json_schema", "schema", "output_config", "format", "embedding_types",
    "embeddingConfig", "dimensions",
]  # fmt: skip
WORDS = ["user", "assistant", "text", "tool_use", "tool_result", "image", "json_schema", "USER", "tool"]
ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    ATOMS | st.sampled_from(WORDS) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=25,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6)


def asked(operation: str, model_id: str, native: dict[str, Any]) -> Request:
    content, _ = read(operation, model_id, {}, native)
    return Request(operation, model_id, {}, content, native=native)


def sent(timeline: Timeline) -> list[bytes]:
    return [beat.act.data for beat in timeline.beats if isinstance(beat.act, Send)]


@each_format
@law
@given(native=BODIES)
def test_any_body_is_answered_or_refused(model_id: str, native: dict[str, Any]) -> None:
    for operation in (BODY, STREAM):
        request = asked(operation, model_id, {**FORMATS[model_id], **native})
        last_user_text(request.body)
        if judge(request) is None:
            reply = automatic_reply(request, Random(7))
            assert compile_reply(reply, request, seed="7", now=0.0).beats


@pytest.mark.parametrize(
    "model_id", ["amazon.titan-embed-text-v2:0", "cohere.embed-v4:0", "amazon.nova-canvas-v1:0"]
)
@law
@given(native=BODIES)
def test_any_body_gets_numbers_or_pictures(model_id: str, native: dict[str, Any]) -> None:
    request = asked(BODY, model_id, {**native, "input_type": "x", "taskType": "x", "height": 1})
    assert judge(request) is None
    assert json.loads(b"".join(sent(compile_reply((), request, seed="7", now=0.0))))


@each_format
@law
@given(texts=st.lists(TEXTS, min_size=1, max_size=3), data=st.data())
def test_what_is_scripted_is_what_is_said(model_id: str, texts: list[str], data: st.DataObject) -> None:
    splits: st.SearchStrategy[Split | None] = st.sampled_from([None, "words", "characters", "whole", "usual"])
    reply = tuple(Text(text, split=data.draw(splits)) for text in texts)
    for operation, text_of in ((BODY, text_of_answer), (STREAM, text_of_stream)):
        timeline = compile_reply(reply, asked(operation, model_id, FORMATS[model_id]), seed="7", now=0.0)
        assert text_of(sent(timeline)) == "".join(texts)
        assert timeline.tokens == sum(
            beat.act.tokens for beat in timeline.beats if isinstance(beat.act, Send)
        )


@each_format
def test_the_last_chunk_and_only_that_tells_what_the_call_cost(model_id: str) -> None:
    timeline = compile_reply((Text("Hi you"),), asked(STREAM, model_id, FORMATS[model_id]), seed="7", now=0.0)
    frames = Decoder().feed(b"".join(sent(timeline)))
    chunks = [json.loads(base64.b64decode(json.loads(frame.payload)["bytes"])) for frame in frames]
    tells = ["amazon-bedrock-invocationMetrics" in chunk for chunk in chunks]
    assert tells == [False] * (len(chunks) - 1) + [True]
    assert list(chunks[-1])[-1] == "amazon-bedrock-invocationMetrics"
