"""InvokeModel and InvokeModelWithResponseStream over real sockets, with boto3 at the other end."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, EventStreamError
from converse_emulator import Emulator, Session

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
LLAMA = "meta.llama3-8b-instruct-v1:0"
UNKNOWN = "stability.sd3-large-v1:0"
TOOL = {"name": "order_status", "input_schema": {"type": "object", "properties": {"id": {"type": "string"}}}}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def bedrock(emulator: Emulator, request: pytest.FixtureRequest) -> Session:
    return emulator.session(str(abs(hash(request.node.name))))


def claude(text: str = "Hi", **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 500, "messages": messages, **more}


def invoked(bedrock: Session, body: dict[str, Any], model_id: str = MODEL) -> Any:
    response = bedrock.client().invoke_model(modelId=model_id, body=json.dumps(body))
    assert response["contentType"] == "application/json"
    return json.loads(response["body"].read())


def streamed(bedrock: Session, body: dict[str, Any], model_id: str = MODEL) -> Iterator[Any]:
    response = bedrock.client().invoke_model_with_response_stream(modelId=model_id, body=json.dumps(body))
    assert response["contentType"] == "application/json"
    with closing(response["body"]) as events:
        for event in events:
            yield json.loads(event["chunk"]["bytes"])


def test_a_scenario_is_a_body_and_a_stream(bedrock: Session) -> None:
    bedrock.play("Hello there")
    bedrock.play("Hello there")
    assert invoked(bedrock, claude())["content"] == [{"type": "text", "text": "Hello there"}]
    types = [chunk["type"] for chunk in streamed(bedrock, claude())]
    assert types == [
        "message_start", "content_block_start", "content_block_delta", "content_block_delta",
        "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip


def test_the_journal_keeps_the_native_request_and_the_text(bedrock: Session) -> None:
    bedrock.play("Hello there")
    bedrock.play([{"text": "Hello there", "split": ["Hello", " there"]}, {"cut": 9}, "finish"])
    invoked(bedrock, claude("Where?"))
    list(streamed(bedrock, {"prompt": "Hi"}, LLAMA))
    first, second = bedrock.journal.wait(2)
    assert first.request["body"] == claude("Where?")
    assert (first.operation, first.text_sent, first.tokens_sent) == ("InvokeModel", "Hello there", 2)
    assert (second.operation, second.text_sent) == ("InvokeModelWithResponseStream", "Hello there")


def test_a_marker_in_a_native_prompt_names_a_scenario(bedrock: Session) -> None:
    marked = "Hi [[scenario: stop-reasons/max-tokens]]"
    assert invoked(bedrock, claude(marked))["stop_reason"] == "max_tokens"
    assert invoked(bedrock, {"prompt": marked}, LLAMA)["stop_reason"] == "length"
    assert bedrock.journal.last.scenario == "stop-reasons/max-tokens"


def test_matches_and_turns_read_native_conversations(bedrock: Session) -> None:
    bedrock.play("Shipped.", match={"operation": "InvokeModel", "tool_result": "order_status", "call": 2})
    call = {"type": "tool_use", "id": "toolu_1", "name": "order_status", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "on its way"}
    conversation = [
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    said = invoked(bedrock, {**claude(), "messages": conversation, "tools": [TOOL]})
    assert said["content"][0]["text"] == "Shipped."


def test_the_automatic_answer_calls_a_tool_and_then_answers(bedrock: Session) -> None:
    body = claude("Where is it?", tools=[TOOL])
    first = invoked(bedrock, body)
    assert first["stop_reason"] == "tool_use"
    (call,) = [block for block in first["content"] if block["type"] == "tool_use"]
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "shipped"}
    body["messages"] += [
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": [result]},
    ]
    second = invoked(bedrock, body)
    assert second["stop_reason"] == "end_turn"
    assert "order_status answered: shipped." in second["content"][0]["text"]


def test_the_automatic_answer_fits_the_schema_that_is_asked_for(bedrock: Session) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    said = invoked(bedrock, claude(output_config={"format": {"type": "json_schema", "schema": schema}}))
    assert isinstance(json.loads(said["content"][0]["text"])["n"], int)
    structure = {"jsonSchema": {"schema": json.dumps(schema)}}
    told = bedrock.client().converse(
        modelId=MODEL,
        messages=[{"role": "user", "content": [{"text": "Hi"}]}],
        outputConfig={"textFormat": {"type": "json_schema", "structure": structure}},
    )
    assert isinstance(json.loads(told["output"]["message"]["content"][0]["text"])["n"], int)


def test_limits_are_obeyed(bedrock: Session) -> None:
    bedrock.play("one two three four")
    bedrock.play("one two three four")
    assert invoked(bedrock, claude() | {"max_tokens": 2})["stop_reason"] == "max_tokens"
    chunks = list(streamed(bedrock, {"prompt": "Hi", "max_gen_len": 2}, LLAMA))
    assert [chunk["generation"] for chunk in chunks] == ["one ", "two "]
    assert chunks[-1]["stop_reason"] == "length"


def test_every_exception_of_the_native_stream_is_raised(bedrock: Session) -> None:
    for name in ("modelTimeoutException", "throttlingException", "modelStreamErrorException"):
        bedrock.play([{"text": "Hi"}, {"throw": name}])
        with pytest.raises(EventStreamError, match=name):
            list(streamed(bedrock, claude()))


def test_a_refusal_is_a_modelled_error(bedrock: Session) -> None:
    bedrock.play([{"refuse": "ModelErrorException"}])
    client = bedrock.client()
    with pytest.raises(client.exceptions.ModelErrorException):
        client.invoke_model(modelId=MODEL, body=json.dumps(claude()))


def test_a_corrupted_chunk_is_noticed(bedrock: Session) -> None:
    bedrock.play([{"text": "Hi"}, {"corrupt": "message_crc"}])
    with pytest.raises(ChecksumMismatch):
        list(streamed(bedrock, claude()))


def test_a_gate_holds_a_chunk(bedrock: Session) -> None:
    bedrock.play([{"text": "a"}, {"gate": "go"}, {"text": "b"}])
    chunks = streamed(bedrock, {"prompt": "Hi"}, LLAMA)
    assert next(chunks)["generation"] == "a"
    bedrock.open_gate("go")
    assert next(chunks)["generation"] == "b"
    assert list(chunks)[-1]["stop_reason"] == "stop"


def test_an_unknown_family_is_refused_with_the_way_out(bedrock: Session) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.*claude.*titan.*`bytes:`"):
        invoked(bedrock, {"prompt": "Hi"}, UNKNOWN)
    bedrock.play(scenario="native/unknown-family")
    assert invoked(bedrock, {"prompt": "Hi"}, UNKNOWN)["finish_reason"] == "stop"
    bedrock.play(scenario="native/unknown-family")
    (chunk,) = streamed(bedrock, {"prompt": "Hi"}, UNKNOWN)
    assert chunk["finish_reason"] == "stop"


def test_a_malformed_request_is_refused(bedrock: Session) -> None:
    with pytest.raises(ClientError, match=r"Malformed input request: #: required key \[prompt\] not found"):
        invoked(bedrock, {}, LLAMA)


def test_a_model_that_is_none_is_refused_first(bedrock: Session) -> None:
    with pytest.raises(ClientError, match="The provided model identifier is invalid"):
        invoked(bedrock, {}, "does-not-exist")


def test_a_prompt_cache_is_written_and_read(bedrock: Session) -> None:
    block = {"type": "text", "text": "word " * 1500, "cache_control": {"type": "ephemeral"}}
    body = {**claude(), "messages": [{"role": "user", "content": [block, {"type": "text", "text": "Why?"}]}]}
    written, read = (invoked(bedrock, body)["usage"] for _ in range(2))
    assert written["cache_creation_input_tokens"] == read["cache_read_input_tokens"] > 1024
    assert written["cache_creation"]["ephemeral_5m_input_tokens"] == written["cache_creation_input_tokens"]
    assert (written["cache_read_input_tokens"], read["cache_creation_input_tokens"]) == (0, 0)


def test_embeddings(bedrock: Session) -> None:
    one, same, other = (
        invoked(bedrock, {"inputText": text, "dimensions": 256}, "amazon.titan-embed-text-v2:0")["embedding"]
        for text in ("Hi", "Hi", "You")
    )
    assert one == same != other
    with pytest.raises(ClientError, match="The model is unsupported for streaming"):
        list(streamed(bedrock, {"inputText": "Hi"}, "amazon.titan-embed-text-v2:0"))
