"""The `anthropic` SDK over InvokeModel and its stream."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from converse_emulator import Emulator, Session

from conformance.clients import load_clients
from conformance.environments import is_built, python_of

SCRIPT = Path(__file__).with_name("anthropic_calls.py")
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
SDK = load_clients().get("anthropic")

pytestmark = [
    pytest.mark.skipif(
        SDK is None or not is_built(SDK), reason="no environment; `make conformance` makes it"
    ),
    pytest.mark.xdist_group("anthropic"),
]

ANSWER = [
    {"reasoning": {"text": "Look it up.", "signature": "c2lnbmVk"}},
    {"text": "Let me look. "},
    {"tool_use": {"name": "order_status", "input": {"order_id": "O-1"}}},
]

# What the stream is made of, and what the SDK makes of its deltas.
EVENTS = {
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "thinking",
    "signature",
    "text",
    "input_json",
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def bedrock(emulator: Emulator, request: pytest.FixtureRequest) -> Session:
    return emulator.session(request.node.name.replace("[", "-").rstrip("]"))


def asked(bedrock: Session, call: str) -> dict[str, Any]:
    assert SDK
    command = [str(python_of(SDK)), str(SCRIPT), bedrock.endpoint_url, call, MODEL]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    came: dict[str, Any] = json.loads(done.stdout)
    return came


def content_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The content blocks, without members that say nothing."""
    return [
        {name: value for name, value in block.items() if value is not None} for block in message["content"]
    ]


@pytest.mark.parametrize("call", ["stream", "create"])
def test_it_reads_text_thinking_and_a_tool_call(bedrock: Session, call: str) -> None:
    bedrock.play(ANSWER)
    came = asked(bedrock, call)
    message = came["message"]
    assert call == "create" or set(came["events"]) >= EVENTS
    thinking, text, tool = content_of(message)
    assert thinking == {"type": "thinking", "thinking": "Look it up.", "signature": "c2lnbmVk"}
    assert (text["type"], text["text"]) == ("text", "Let me look. ")
    assert (tool["type"], tool["name"], tool["input"]) == ("tool_use", "order_status", {"order_id": "O-1"})
    assert tool["id"].startswith("toolu_bdrk_01")
    assert message["id"].startswith("msg_bdrk_01")
    assert (message["model"], message["stop_reason"]) == ("claude-haiku-4-5-20251001", "tool_use")
    assert message["usage"]["output_tokens"] == bedrock.journal.last.tokens_sent


def test_its_own_answer_to_a_tool_is_a_call_that_fits(bedrock: Session) -> None:
    message = asked(bedrock, "stream")["message"]
    (call,) = [block for block in message["content"] if block["type"] == "tool_use"]
    assert isinstance(call["input"].get("order_id", ""), str)


def test_an_exception_in_the_stream_is_an_error(bedrock: Session) -> None:
    bedrock.play([{"text": "It is "}, {"throw": "modelTimeoutException"}])
    came = asked(bedrock, "stream")
    assert "text" in came["events"]
    assert "modelTimeoutException" in came["error"] or "took too long" in came["error"]


def test_a_stream_that_is_cut_ends_without_a_message_stop(bedrock: Session) -> None:
    bedrock.play([{"text": "It is "}, "finish"])
    assert "message_stop" not in asked(bedrock, "stream")["events"]
