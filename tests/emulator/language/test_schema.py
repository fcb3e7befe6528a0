"""The JSON Schema for editors: what the loader takes, it takes, and what it refuses, the loader refuses."""

import json
from typing import Any

import pytest
import yaml
from converse_emulator.errors import ScenarioError
from converse_emulator.language import loader
from converse_emulator.language.schema import json_schema
from converse_emulator.shapes.service import event_types, stop_reasons, stream_exceptions
from converse_fixtures import load_text, names
from jsonschema import Draft202012Validator

VALIDATOR = Draft202012Validator(json_schema())


def refused_by_loader(document: Any) -> bool:
    try:
        loader.load_text(json.dumps(document), name="x", source="x")
    except ScenarioError:
        return True
    return False


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert json.loads(json.dumps(json_schema())) == json_schema()


@pytest.mark.parametrize("name", names())
def test_it_takes_every_library_scenario(name: str) -> None:
    text = load_text(name)
    loader.load_text(text, name=name, source=name)
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text))) == []


def test_it_tells_editors_the_words_of_the_service_model() -> None:
    text = json.dumps(json_schema())
    for word in (
        *event_types(),
        *stop_reasons(),
        *stream_exceptions(),
        "ThrottlingException",
        "finish",
        "forever",
    ):
        assert f'"{word}"' in text, word


def test_every_step_and_member_is_described() -> None:
    schema = json_schema()
    steps = schema["$defs"]["step"]["anyOf"]
    assert all(step["description"] for step in steps)
    with_title = next(form for form in schema["anyOf"] if form.get("properties"))
    assert all(member["description"] for member in with_title["properties"].values())


def document(**changes: Any) -> dict[str, Any]:
    whole = {"title": "T", "handlers": "H", "reply": [{"text": "Hi"}], **changes}
    return {name: value for name, value in whole.items() if value is not None}


def with_step(step: Any) -> dict[str, Any]:
    return document(reply=[step])


GOOD: list[Any] = [
    "Just an answer.",
    document(),
    document(reply="Hi"),
    document(reply=[]),
    document(reply=None, replies=["Hi", [{"text": "Hi"}, "reset"]]),
    document(match={}),
    document(match={"operation": "Converse", "call": 3.0, "header": {"x": "*"}}),
    with_step({"text": "Hi", "every": "1ms", "split": ["H"]}),
    with_step({"cut": 2.0}),
    with_step({"stop": "unheard of"}),
]
BAD: list[Any] = [
    None,
    12,
    [],
    {},
    document(title=""),
    document(handlers=None),
    document(reply=None),
    document(replies=["Hi"]),
    document(reply=None, replies=[]),
    document(reply={"text": "Hi"}),
    document(author="me"),
    document(match={"call": 0}),
    document(match={"operation": "CountTokens"}),
    with_step("text"),
    with_step("Hi there"),
    with_step({}),
    with_step({"finish": None}),
    with_step({"text": "Hi", "wait": 1}),
    with_step({"wait": 1, "every": 1}),
    with_step({"every": 1, "split": "words"}),
    with_step({"wait": "never"}),
    with_step({"wait": -0.5}),
    with_step({"wait": True}),
    with_step({"every": {"between": [1, 2, 3]}}),
    with_step({"split": []}),
    with_step({"gate": "a/b"}),
    with_step({"cut": 1.5}),
    with_step({"tool_use": {"input": {}}}),
    with_step({"reasoning": {"redacted": "aGk=", "text": "x"}}),
    with_step({"event": {"messageStart": {}, "messageStop": {}}}),
    with_step({"event": {"other": {}}}),
    with_step({"throw": "other"}),
    with_step({"throw": {"error": "x", "exception": "y"}}),
    with_step({"refuse": "other"}),
    with_step({"refuse": {"name": "ThrottlingException", "status": 399}}),
]


@pytest.mark.parametrize("good", GOOD, ids=json.dumps)
def test_both_take(good: Any) -> None:
    assert (VALIDATOR.is_valid(good), refused_by_loader(good)) == (True, False)


@pytest.mark.parametrize("bad", BAD, ids=json.dumps)
def test_both_refuse(bad: Any) -> None:
    assert (VALIDATOR.is_valid(bad), refused_by_loader(bad)) == (False, True)
