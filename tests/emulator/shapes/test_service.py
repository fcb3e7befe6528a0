"""The service model of the installed botocore: paths, requests, events, exceptions."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.shapes import service

SONNET = "anthropic.claude-3-5-sonnet-20240620-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"
HELLO = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
RECORDINGS = Path(__file__).parents[3] / "../shared/recordings"


def recorded(operation: str) -> list[tuple[dict[str, Any], Path]]:
    """The recorded responses of an operation that succeeded, each with the bytes' file."""
    if not RECORDINGS.is_dir():
        pytest.skip("the recordings are not here")
    sidecars = [(json.loads(path.read_text()), path.with_suffix("")) for path in RECORDINGS.glob("*.json")]
    return [each for each in sidecars if each[0]["operation"] == operation and each[0]["status"] == 200]


@pytest.mark.parametrize(
    ("path", "model_id"),
    [
        (f"/model/{SONNET}/converse-stream", SONNET),
        ("/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse-stream", SONNET),
        ("/model/anthropic.claude-3-5-sonnet-20240620-v1%3a0/converse-stream?x=y", SONNET),
        (f"/model/{PROFILE}/converse-stream", PROFILE),
        (f"/model/{PROFILE.replace(':', '%3A').replace('/', '%2F')}/converse-stream", PROFILE),
        (f"/model/{PROFILE.replace('/', '%2f')}/converse-stream", PROFILE),
        ("/model/a%20b/converse-stream", "a b"),
        ("/model/converse-stream/converse-stream", "converse-stream"),
        ("/model/%FF/converse-stream", "�"),
    ],
)
def test_the_model_id_is_found_however_it_is_encoded(path: str, model_id: str) -> None:
    operation, found = service.find_operation("POST", path)
    assert (operation.name, found) == ("ConverseStream", model_id)


def test_every_operation_of_the_model_is_found_by_its_path() -> None:
    for name, operation in service.operations().items():
        path = operation.uri.replace("{", "").replace("}", "")
        assert service.find_operation(operation.method, path)[0].name == name


def test_operations_without_a_model_have_an_empty_model_id() -> None:
    assert service.find_operation("GET", "/async-invoke")[1] == ""


@pytest.mark.parametrize(
    "path", ["/", "", "/model/x", "/model//converse", "/model/x/converse/", "/model/x/con%76erse", "*"]
)
def test_an_unknown_path_is_answered_with_the_known_ones(path: str) -> None:
    with pytest.raises(service.UnknownPath) as raised:
        service.find_operation("POST", path)
    assert repr(path) in str(raised.value)
    assert "/model/{modelId}/converse-stream" in raised.value.allowed


def test_a_wrong_method_is_answered_with_the_right_ones() -> None:
    with pytest.raises(service.WrongMethod, match="GET is not allowed") as raised:
        service.find_operation("GET", "/model/x/converse")
    assert raised.value.allowed == ["POST"]
    with pytest.raises(service.WrongMethod) as raised:
        service.find_operation("PUT", "/async-invoke")
    assert raised.value.allowed == ["GET", "POST"]


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
def test_a_valid_request_has_no_violations(operation: str) -> None:
    assert service.violations(operation, SONNET, HELLO) == []
    assert service.violations(operation, PROFILE, {"system": [], "inferenceConfig": {}, **HELLO}) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"inferenceConfig": {"maxTokens": 0}},
            "Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            {"inferenceConfig": {"temperature": 7}},
            "Value '7.0' at 'inferenceConfig.temperature' failed to satisfy constraint: "
            "Member must have value less than or equal to 1",
        ),
        (
            {"messages": [{"role": "robot", "content": []}]},
            "Value 'robot' at 'messages.1.member.role' failed to satisfy constraint: "
            "Member must satisfy enum value set: [user, assistant",
        ),
        (
            {"messages": [{"role": "user"}]},
            "Value null at 'messages.1.member.content' failed to satisfy constraint: Member must not be null",
        ),
        (
            {"toolConfig": {"tools": []}},
            "Value at 'toolConfig.tools' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"text": "Hi"}]},
                    {
                        "role": "assistant",
                        "content": [{"toolUse": {"toolUseId": "a", "name": "a.b", "input": {}}}],
                    },
                ]
            },
            "Value at 'messages.2.member.content.1.member.toolUse.name' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+",
        ),
        ([], "Value at 'body' failed to satisfy constraint: Start of list found where not expected"),
        ("hello", "Value 'hello' at 'body' failed to satisfy constraint: Expected structure or null"),
        (
            {"prompt": "Hi"},
            "Value at 'prompt' failed to satisfy constraint: Member is not in the service model",
        ),
    ],
)
def test_a_wrong_request_is_answered_in_the_words_of_the_service(body: Any, expected: str) -> None:
    [found] = service.violations("ConverseStream", SONNET, body)
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("model_id", "constraint"),
    [
        ("claude 3", "Member must satisfy regular expression pattern"),
        ("{modelId}", "Member must satisfy regular expression pattern"),
        ("a" * 2049, "Member must have length less than or equal to 2048"),
    ],
)
def test_the_model_id_is_judged_too(model_id: str, constraint: str) -> None:
    [found] = service.violations("Converse", model_id, HELLO)
    assert found.startswith(f"Value '{model_id}' at 'modelId' failed to satisfy constraint: {constraint}")


def test_a_model_id_in_the_body_is_ignored() -> None:
    assert service.violations("Converse", SONNET, {**HELLO, "modelId": "not one!"}) == []


def test_no_pattern_of_the_converse_shapes_is_left_unchecked() -> None:
    assert service.skipped_patterns() == {}


@pytest.mark.parametrize("operation", ["converse", "converse-stream"])
def test_what_the_real_service_accepted_has_no_violations(operation: str) -> None:
    judged = 0
    for sidecar, path in recorded(operation):
        try:
            body = json.loads((sidecar["request"] or {}).get("body") or "")
        except ValueError:
            continue  # not recorded, or replaced by the recorder
        if isinstance(body, dict):
            judged += 1
            assert service.violations("Converse", sidecar["model"], body) == [], path
    assert judged >= 15


def test_the_events_that_the_real_service_sent_are_in_order() -> None:
    found: list[str] = []
    for _, path in recorded("converse-stream"):
        for message in Decoder().feed(path.read_bytes()):
            if message.header(":message-type") == "event":
                body = json.loads(message.payload)
                body.pop("p", None)  # padding, in no model
                found += service.event_violations(str(message.header(":event-type")), body)
    # The one member that the service itself leaves out although its model requires it.
    assert {text for text in found if "sensitiveInformationPolicy.regexes" not in text} == set()


@pytest.mark.parametrize(
    ("event_type", "body", "expected"),
    [
        ("messageStart", {"role": "assistant"}, []),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}}, []),
        ("messageStop", {"stopReason": "a_reason_of_the_future"}, []),
        (
            "contentBlockDelta",
            {"delta": {"text": "Hi"}},
            [
                "Value null at 'contentBlockDelta.contentBlockIndex' failed to satisfy constraint: "
                "Member must not be null"
            ],
        ),
        (
            "messageStart",
            {"role": "robot"},
            ["Value 'robot' at 'messageStart.role' failed to satisfy constraint: Member must satisfy"],
        ),
        (
            "messagestop",
            {},
            ["Value at 'messagestop' failed to satisfy constraint: Event is not known; known are [message"],
        ),
        ("throttlingException", {}, ["Value at 'throttlingException' failed to satisfy constraint: Event"]),
    ],
)
def test_the_payload_of_an_event_is_judged(event_type: str, body: Any, expected: list[str]) -> None:
    found = service.event_violations(event_type, body)
    assert [text[: len(start)] for text, start in zip(found, expected, strict=True)] == expected


def test_the_stream_has_the_events_exceptions_and_stops_that_are_known_today() -> None:
    events = "messageStart contentBlockStart contentBlockDelta contentBlockStop messageStop metadata"
    assert set(events.split()) <= set(service.event_types())
    assert (
        service.stream_exceptions().items()
        >= {
            "internalServerException": "InternalServerException",
            "modelStreamErrorException": "ModelStreamErrorException",
            "serviceUnavailableException": "ServiceUnavailableException",
            "throttlingException": "ThrottlingException",
            "validationException": "ValidationException",
        }.items()
    )
    assert {"end_turn", "tool_use", "max_tokens", "guardrail_intervened"} <= set(service.stop_reasons())
    assert service.exception_statuses("Converse")["ThrottlingException"] == 429
    assert service.exception_statuses() == service.exception_statuses("ConverseStream")


def in_a_process_with(botocore: Path | None, code: str) -> str:
    """What `code` prints in a fresh interpreter, which finds this `botocore` package first."""
    environment = {"PYTHONPATH": str(botocore)} if botocore else {}
    done = subprocess.run(
        [sys.executable, "-c", f"from converse_emulator.shapes import service\n{code}"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return done.stdout.strip()


def botocore_with(root: Path, **models: Any) -> Path:
    """A botocore package that has nothing but these versions of the model (`v2030` is version 2030)."""
    (root / "botocore").mkdir()
    (root / "botocore/__init__.py").touch()
    for version, model in models.items():
        folder = root / "botocore/data/bedrock-runtime" / version.removeprefix("v")
        folder.mkdir(parents=True)
        (folder / "service-2.json").write_text(json.dumps(model))
    return root


def test_botocore_is_not_imported() -> None:
    code = (
        "import sys; service.violations('Converse', 'x', {}); print('botocore' in sys.modules, "
        "service.operations().keys() >= {'Converse'})"
    )
    assert in_a_process_with(None, code) == "False True"


def test_a_newer_model_brings_its_members_and_exceptions_by_itself(tmp_path: Path) -> None:
    newer = json.loads(json.dumps(service.model()))
    newer["shapes"]["ConverseStreamRequest"]["members"]["mood"] = {"shape": "Mood"}
    newer["shapes"]["Mood"] = {"type": "string", "enum": ["good"]}
    newer["shapes"]["TiredException"] = {
        "type": "structure",
        "members": {},
        "exception": True,
        "error": {"httpStatusCode": 529},
    }
    newer["operations"]["ConverseStream"]["errors"].append({"shape": "TiredException"})
    root = botocore_with(tmp_path, v2023={"operations": {}}, v2030=newer)
    code = (
        "print(service.exception_statuses()['TiredException'], "
        "service.violations('ConverseStream', 'x', {'mood': 'bad'}))"
    )
    assert in_a_process_with(root, code) == (
        "529 [\"Value 'bad' at 'mood' failed to satisfy constraint: "
        'Member must satisfy enum value set: [good]"]'
    )


@pytest.mark.parametrize(
    ("models", "expected"),
    [({}, "has no model of bedrock-runtime"), ({"v2023": {"operations": {}}}, "no operation ConverseStream")],
)
def test_a_botocore_without_the_operation_is_named(
    tmp_path: Path, models: dict[str, Any], expected: str
) -> None:
    code = "try: service.operations()\nexcept service.ServiceModelError as error: print(error)"
    assert expected in in_a_process_with(botocore_with(tmp_path, **models), code)
