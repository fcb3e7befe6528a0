"""Recorded error responses, made again by a scenario that refuses: status, error type, headers, body.

Header names are compared as sets where a recorder sorted them, and bodies as JSON where it wrote them anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.http.refusals import REFUSALS
from converse_emulator.http.responses import compact_json
from converse_emulator.language.loader import scenario_from
from converse_emulator.playing.acts import Head, Send
from converse_emulator.spelling.timeline import compile_reply

FOLDER = Path(__file__).parents[3] / "shared" / "recordings"
ORDER = ["Date", "Content-Type", "Content-Length", "Connection", "x-amzn-RequestId", "x-amzn-ErrorType"]
# Recorded without its error type: the only one of that status with that text.
UNTYPED = {400: "ValidationException", 403: "UnrecognizedClientException"}
HAND_WRITTEN = 4  # by the authors of tests, as their sidecars say


@dataclass(frozen=True, slots=True)
class Error:
    name: str  # of the recording
    status: int
    type: str | None
    headers: tuple[str, ...]
    body: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return self.type.partition(":")[0] if self.type else UNTYPED[self.status]


def errors() -> list[Error]:
    found = []
    for file in sorted(FOLDER.glob("ERR-*.bin")):
        about = json.loads(file.with_suffix(".bin.json").read_text())
        if not about.get("synthetic"):
            headers = about["response_headers"]
            kind = next((value for name, value in headers if name.lower() == "x-amzn-errortype"), None)
            names = tuple(name for name, _ in headers)
            found.append(Error(file.stem, about["status"], kind, names, json.loads(file.read_bytes())))
    return found


ERRORS = errors()
pytestmark = pytest.mark.skipif(not ERRORS, reason=f"no recordings in {FOLDER}")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.name[:70])
def test_an_error_is_made_again(error: Error) -> None:
    refusal = {"name": error.kind, "message": error.body["message"]}
    reply = scenario_from({"reply": [{"refuse": refusal}]}, name="again", where="again").replies[0]
    request = Request("ConverseStream", "m", {}, {})
    acts = [beat.act for beat in compile_reply(reply, request, seed="1", now=0.0).beats]
    head = next(act for act in acts if isinstance(act, Head))
    body = b"".join(act.data for act in acts if isinstance(act, Send))
    headers = dict(head.headers)
    assert head.status == error.status
    assert body == compact_json(error.body)
    assert list(headers) == ORDER
    assert {name.lower() for name in error.headers} - {"set-cookie", "server-timing"} <= {
        name.lower() for name in ORDER
    }
    if error.type:
        assert headers["x-amzn-ErrorType"] == error.type
    if error.headers[0] == "Date":  # a recorder that kept the order, if not all of them
        seen = [name.lower() for name in error.headers]
        assert seen == [name.lower() for name in ORDER if name.lower() in seen]


def test_all_that_were_recorded_are_tried() -> None:
    assert len(ERRORS) == len(list(FOLDER.glob("ERR-*.bin"))) - HAND_WRITTEN
    assert {error.kind for error in ERRORS} <= REFUSALS.keys()
