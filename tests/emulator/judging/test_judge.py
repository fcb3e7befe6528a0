"""How requests are judged, over real sockets: where each refusal surfaces, and what lets it through."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError, EventStreamError
from converse_emulator import Emulator, ScenarioError

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ASKED: Any = [{"role": "user", "content": [{"text": "Hi"}]}]
BOTH = {"temperature": 0.5, "topP": 0.5}
ONE_SAMPLER = (
    "The model returned the following errors: `temperature` and `top_p` cannot both be specified for this "
    "model. Please use only one."
)
INVALID_ID = "The provided model identifier is invalid."


@pytest.fixture(scope="module")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Emulator]]:
    models = tmp_path_factory.mktemp("models") / "models.yaml"
    models.write_text(
        f"models: {{my-model: {{max_output: 10}}}}\naliases: {{test-model: {SONNET}}}\nwaive: [one-sampler]\n"
    )
    with ExitStack() as running:
        yield {
            "strict": running.enter_context(Emulator()),
            "model": running.enter_context(Emulator(validation="model")),
            "off": running.enter_context(Emulator(validation="off")),
            "mine": running.enter_context(Emulator(models=models)),
        }


@pytest.fixture(autouse=True)
def _forgotten(emulators: dict[str, Emulator]) -> Iterator[None]:
    yield
    for emulator in emulators.values():
        emulator.reset()


def converse(emulator: Emulator, **asked: Any) -> str:
    """The text of an answer, or of the refusal."""
    try:
        answer = emulator.client().converse(**{"modelId": SONNET, "messages": ASKED, **asked})
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return str(answer["output"]["message"]["content"][0]["text"])


def post(emulator: Emulator, path: str, body: Any) -> tuple[int, bytes]:
    content = json.dumps(body).encode()
    request = Request(f"{emulator.endpoint_url}{path}", content, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_converse_layer_refuses_before_the_stream(emulators: dict[str, Emulator]) -> None:
    client = emulators["strict"].client()

    with pytest.raises(client.exceptions.ValidationException, match=INVALID_ID):
        client.converse_stream(modelId="does-not-exist", messages=ASKED)

    exchange = emulators["strict"].journal.last
    assert (exchange.status, exchange.ended, exchange.chosen_by) == (400, "refused", "rule unknown-model")


def test_the_model_refuses_in_the_first_frame(emulators: dict[str, Emulator]) -> None:
    client = emulators["strict"].client()
    answer = client.converse_stream(modelId=SONNET, messages=ASKED, inferenceConfig=BOTH)

    with closing(answer["stream"]) as stream, pytest.raises(EventStreamError) as caught:
        list(stream)

    assert caught.value.response["Error"] == {"Code": "validationException", "Message": ONE_SAMPLER}
    exchange = emulators["strict"].journal.last
    assert exchange.status == 200
    assert [act.what.partition(" ")[0] for act in exchange.acts] == ["head", "send", "finish"]
    assert converse(emulators["strict"], inferenceConfig=BOTH) == ONE_SAMPLER


def test_an_unsupported_cache_point_is_an_access_denied(emulators: dict[str, Emulator]) -> None:
    client = emulators["strict"].client()
    system = [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]

    with pytest.raises(
        client.exceptions.AccessDeniedException, match="did not allow prompt caching"
    ) as caught:
        client.converse(modelId="zai.glm-5", messages=ASKED, system=system)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_what_is_refused_is_not_taken_from_what_is_armed(emulators: dict[str, Emulator]) -> None:
    emulator = emulators["strict"]
    emulator.play("Hello")

    assert converse(emulator, modelId="does-not-exist") == INVALID_ID
    assert converse(emulator) == "Hello"
    emulator.verify()


def test_the_log_tells_the_rule(emulators: dict[str, Emulator], caplog: pytest.LogCaptureFixture) -> None:
    converse(emulators["strict"], modelId="does-not-exist")

    assert f"Refused by the rule unknown-model of docs/validation.md: {INVALID_ID}" in caplog.messages


@pytest.mark.parametrize("mode", ["model", "off"])
def test_without_rules_any_model_id_is_good(emulators: dict[str, Emulator], mode: str) -> None:
    emulators[mode].play("Hello")

    assert converse(emulators[mode], modelId="does-not-exist", inferenceConfig=BOTH) == "Hello"


def test_constraints_bind_unless_all_is_off(emulators: dict[str, Emulator]) -> None:
    path, body = f"/model/{SONNET}/converse", {"messages": [{"role": "nobody", "content": "x"}]}

    for mode in ("strict", "model"):
        status, content = post(emulators[mode], path, body)
        assert status == 400
        assert b"validation error" in content
    emulators["off"].play("Hello")
    status, content = post(emulators["off"], path, body)
    assert status == 200
    assert b"Hello" in content


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": 1},
        {"messages": [1]},
        {"messages": [{"role": "user"}]},
        {"messages": ASKED, "inferenceConfig": [1]},
        {"messages": ASKED, "toolConfig": {"tools": [{"toolSpec": 1}]}},
        {"messages": ASKED, "system": "Be brief."},
    ],
)
def test_whatever_comes_there_is_an_answer_when_all_is_off(emulators: dict[str, Emulator], body: Any) -> None:
    assert post(emulators["off"], f"/model/{SONNET}/converse", body)[0] == 200


def test_a_catalogue_of_ones_own(emulators: dict[str, Emulator]) -> None:
    emulator = emulators["mine"]
    emulator.play("one")
    emulator.play("two")

    assert converse(emulator, modelId="test-model", inferenceConfig=BOTH) == "one"
    assert converse(emulator, modelId="my-model", inferenceConfig={"maxTokens": 10}) == "two"
    refused = converse(emulator, modelId="my-model", inferenceConfig={"maxTokens": 11})
    assert refused.startswith("The maximum tokens you requested exceeds the model limit of 10.")


def test_a_mistake_in_the_catalogue_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text("models: []\n")

    with pytest.raises(ScenarioError, match=r"models\.yaml:1:9"):
        Emulator(models=path)


def test_an_unknown_mode() -> None:
    with pytest.raises(ValueError, match="validation is one of strict, model, off, not 'lax'"):
        Emulator(validation="lax")  # type: ignore[arg-type]
