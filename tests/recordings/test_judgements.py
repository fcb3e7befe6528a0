"""Recorded requests of real Bedrock before our rules: what it took is taken, what it refused refused alike.

The recordings lie beside the repository and are no part of it; without them these tests are skipped, and the
rules have their self-made tests in `tests/emulator/test_rules.py`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.framing.frames import exception_frame
from converse_emulator.http.responses import compact_json
from converse_emulator.judging.rules import judge
from converse_emulator.judging.verdicts import FirstFrame, Refused
from converse_emulator.shapes import service
from converse_emulator.spelling.operations import read

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
OPERATIONS = {
    "converse": "Converse",
    "converse-stream": "ConverseStream",
    "count-tokens": "CountTokens",
    "invoke": "InvokeModel",
    "invoke-with-response-stream": "InvokeModelWithResponseStream",
}
# Refusals that the recorded request does not explain.
UNEXPLAINED = {
    "test_strict_tool_array_minItems_gt1": "the text names a value that the request does not have",
    "handles_context__2": "the recorder left the texts of the request out",
}
IN_THE_STREAM = "converse_stream_validation_exception"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded call."""

    name: str
    request: Request
    status: int
    body: bytes


def recorded() -> Iterator[Recorded]:
    """The calls whose request is known."""
    for sidecar in sorted(RECORDINGS.glob("*.bin.json")):
        described = json.loads(sidecar.read_bytes())
        request = described.get("request") or {}
        path = unquote(request.get("path") or request.get("url") or "")
        found = re.search(r"/model/([^?]+)/([a-z-]+)$", path)
        if found is None or found[2] not in OPERATIONS:
            continue
        operation = OPERATIONS[found[2]]
        body = _body(request.get("body"))
        if body is None and operation.startswith("Converse"):
            continue
        yield Recorded(
            sidecar.name.removesuffix(".bin.json"),
            Request(operation, found[1], {}, _as_converse(operation, found[1], body or {})),
            described["status"],
            sidecar.with_suffix("").read_bytes(),
        )


def _as_converse(operation: str, model_id: str, body: Any) -> Any:
    return read(operation, model_id, {}, body)[0]


def _body(recorded_body: str | None) -> Any:
    """The JSON object of a request; None where the recorder did not keep it."""
    try:
        body = json.loads(recorded_body or "")
        if isinstance(body, list):  # one recorder's way to say what a request is to be like
            body = json.loads(body[0]["equalToJson"])
    except (ValueError, KeyError):
        return None
    return body if isinstance(body, dict) else None


CALLS = list(recorded())
pytestmark = pytest.mark.skipif(not CALLS, reason=f"no recordings in {RECORDINGS}")


def taken(call: Recorded) -> bool:
    """Whether Bedrock answered it."""
    return call.status == 200 and IN_THE_STREAM not in call.name and call.request.model_id != "?"


def refused(call: Recorded) -> bool:
    """Whether Bedrock refused it for what a Converse request, or any model id, says."""
    native = call.request.operation.startswith("InvokeModel")
    if call.status != 400 or any(name in call.name for name in UNEXPLAINED):
        return False
    return not native or b"identifier is invalid" in call.body


def each(calls: list[Recorded]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("call", calls, ids=[call.name for call in calls])


@each([call for call in CALLS if taken(call)])
def test_what_bedrock_took_is_taken(call: Recorded) -> None:
    if call.request.operation.startswith("Converse"):
        assert service.violations(call.request.operation, call.request.model_id, call.request.body) == []
    assert judge(call.request) is None


@each([call for call in CALLS if refused(call)])
def test_what_bedrock_refused_is_refused_with_the_same_body(call: Recorded) -> None:
    found = judge(call.request)

    assert isinstance(found, Refused)
    assert found.error == "ValidationException"
    # Some recorders wrote the body anew, with other spaces.
    assert compact_json({"message": found.message}) == compact_json(json.loads(call.body))


@each([call for call in CALLS if IN_THE_STREAM in call.name])
def test_what_a_model_refused_in_its_first_frame_is_refused_with_the_same_frame(call: Recorded) -> None:
    found = judge(call.request)

    assert isinstance(found, FirstFrame)
    assert exception_frame("validationException", found.message) == call.body
    assert len(list(Decoder().feed(call.body))) == 1


def test_there_are_as_many_recordings_as_the_rules_rest_on() -> None:
    assert sum(map(taken, CALLS)) >= 140
    assert sum(map(refused, CALLS)) >= 18
