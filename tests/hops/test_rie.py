"""The reference handler as a function in AWS's own runtime interface emulator.

Its Runtime API is Lambda's; its invoke collects the response. So it proves that the function speaks the
protocol, and it is a hop that buffers, ready-made.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from converse_emulator import Session

from tests.hops.rie import Rie, rie, split

COMMAND = [sys.executable, "-m", "converse_handler.lambda_runtime"]
PATIENT = {"CHAT_FIRST_BYTE_TIMEOUT": "60"}
ASKED = json.dumps({"messages": [{"role": "user", "content": "hi"}]})
EVENT = {
    "httpMethod": "POST",
    "path": "/chat",
    "headers": {"Content-Type": "application/json"},
    "body": ASKED,
}


@pytest.fixture
def function(bedrock: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rie]:  # noqa: ARG001 (its environment)
    for name, value in PATIENT.items():
        monkeypatch.setenv(name, value)
    with rie(COMMAND) as running:
        yield running


def test_a_response_in_streaming_mode_is_taken(function: Rie, bedrock: Session) -> None:
    bedrock.play("Hello")
    response = function.invoke(EVENT)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/octet-stream")
    prelude, body = split(response.content)
    assert prelude["statusCode"] == 200
    assert prelude["headers"]["content-type"] == "text/event-stream; charset=utf-8"
    assert b'"text":"Hello"' in body
    assert body.endswith(b"data: [DONE]\n\n")


def test_it_takes_one_invocation_after_the_other(function: Rie, bedrock: Session) -> None:
    bedrock.play("Hello")
    bedrock.play([{"text": "Hello "}, {"throw": "throttlingException"}])
    assert b'"type":"message_stop"' in function.invoke(EVENT).content
    assert b'"code":"throttled"' in function.invoke(EVENT).content
    refused, body = split(function.invoke({**EVENT, "path": "/"}).content)
    assert (refused["statusCode"], json.loads(body)) == (404, {"error": "Not Found"})


def test_a_failure_before_the_first_byte_is_taken(function: Rie, bedrock: Session) -> None:  # noqa: ARG001
    told = function.invoke({"Records": []}).json()
    assert told["errorType"] == "Function.UnknownEvent"
    assert told["stackTrace"] == []


def test_settings_that_are_wrong_are_told(bedrock: Session, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("CHAT_HEARTBEAT", "soon")
    with rie(COMMAND) as function:
        response = function.invoke(EVENT)
    assert response.status_code == 502
    assert response.json()["errorType"] == "Function.SettingsError"


def test_it_holds_everything_back_until_the_end(function: Rie, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "more"}, {"text": "two"}])
    arrived: list[Any] = []

    def listen() -> None:
        with httpx.stream("POST", function.url, json=EVENT, timeout=60, trust_env=False) as response:
            arrived.extend((time.monotonic(), data) for data in response.iter_raw())

    browser = threading.Thread(target=listen)
    browser.start()
    while not (bedrock.journal and bedrock.journal.last.text_sent):
        time.sleep(0.01)
    time.sleep(0.5)  # far longer than it takes when nothing is in the way
    assert arrived == []
    opened_at = time.monotonic()
    bedrock.open_gate("more")
    browser.join(60)
    assert b'"text":"one "' in b"".join(data for _, data in arrived)
    assert all(at > opened_at for at, _ in arrived)
