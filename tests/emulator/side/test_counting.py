"""CountTokens counts what a request's usage will say."""

import json
from base64 import b64encode
from typing import Any

import pytest
from converse_emulator.http.refusals import ServiceError
from converse_emulator.scripting.tokens import count_request
from converse_emulator.side.counting import count_tokens

CONVERSE = {
    "messages": [{"role": "user", "content": [{"text": "When does my subscription renew?"}]}],
    "system": [{"text": "Be brief."}],
}


def native(body: bytes) -> Any:
    return {"input": {"invokeModel": {"body": b64encode(body).decode()}}}


def test_a_converse_request() -> None:
    assert count_tokens({"input": {"converse": CONVERSE}}) == {"inputTokens": count_request(CONVERSE)}


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": "one two three"}], "max_tokens": 100},
        {"prompt": "one two three", "max_gen_len": 100},
        {"inputText": "one two three", "textGenerationConfig": {"maxTokenCount": 100}},
        {"message": "one two three"},
    ],
)
def test_a_native_request_counts_its_prompt_and_not_its_parameters(body: dict[str, Any]) -> None:
    longer = json.loads(json.dumps(body).replace("three", "three four five six"))

    [few, many] = [count_tokens(native(json.dumps(each).encode()))["inputTokens"] for each in (body, longer)]

    assert few < 10
    assert many == few + 3


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_native_request_that_is_no_json_object(body: bytes) -> None:
    with pytest.raises(ServiceError, match="Malformed input request") as caught:
        count_tokens(native(body))
    assert caught.value.name == "ValidationException"
