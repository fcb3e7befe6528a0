"""Events to bytes, and back through a parser that follows the standard to the letter."""

import json
from collections.abc import Iterator

import pytest
from converse_handler import sse
from converse_handler.events import (
    BlockStarted,
    BlockStopped,
    Event,
    Failed,
    Finished,
    Started,
    Text,
    Thinking,
    ToolFinished,
    ToolStarted,
    Usage,
)
from hypothesis import given
from hypothesis import strategies as st


def parse(stream: str) -> Iterator[dict[str, str]]:
    """The events of a stream: WHATWG HTML 9.2.6, for complete events."""
    fields: dict[str, str] = {}
    for line in stream.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line:
            if "data" in fields:
                yield fields
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")


def test_one_event_is_one_block() -> None:
    assert sse.encode(Text(0, "Grüße 🌍"), 7) == (
        'id: 7\ndata: {"type":"content_block_delta","index":0,"delta":{"text":"Grüße 🌍"}}\n\n'.encode()
    )


def test_the_first_event_says_when_to_reconnect() -> None:
    assert sse.encode(Started("msg_1"), 1) == (
        b'retry: 3000\nid: 1\ndata: {"type":"message_start","id":"msg_1"}\n\n'
    )


@pytest.mark.parametrize(
    ("event", "body"),
    [
        (Started("msg_1"), {"type": "message_start", "id": "msg_1"}),
        (BlockStarted(0, "text"), {"type": "content_block_start", "index": 0, "kind": "text"}),
        (BlockStarted(1, "thinking"), {"type": "content_block_start", "index": 1, "kind": "thinking"}),
        (Text(0, "a"), {"type": "content_block_delta", "index": 0, "delta": {"text": "a"}}),
        (Thinking(1, "b"), {"type": "content_block_delta", "index": 1, "delta": {"thinking": "b"}}),
        (BlockStopped(0), {"type": "content_block_stop", "index": 0}),
        (ToolStarted("t", "n", "l"), {"type": "tool_start", "id": "t", "name": "n", "label": "l"}),
        (
            ToolFinished("t", "n", None),
            {"type": "tool_end", "id": "t", "name": "n", "ok": True, "error": None},
        ),
        (
            ToolFinished("t", "n", "timeout"),
            {"type": "tool_end", "id": "t", "name": "n", "ok": False, "error": "timeout"},
        ),
        (
            Finished("max_tokens", True, Usage(1, 2)),
            {
                "type": "message_stop",
                "stop_reason": "max_tokens",
                "truncated": True,
                "usage": {"input_tokens": 1, "output_tokens": 2},
            },
        ),
        (
            Finished("end_turn", False, None),
            {"type": "message_stop", "stop_reason": "end_turn", "truncated": False, "usage": None},
        ),
        (
            Failed("throttled", "Busy.", True, False),
            {"type": "error", "code": "throttled", "message": "Busy.", "retryable": True, "partial": False},
        ),
    ],
)
def test_the_wire_contract(event: Event, body: dict[str, object]) -> None:
    assert sse.payload(event) == body


@given(st.text(st.characters(exclude_categories=()), min_size=1), st.integers(2, 10**6))
def test_no_text_can_break_the_framing(text: str, number: int) -> None:
    block = sse.encode(Text(0, text), number)
    (event,) = parse(block.decode())
    assert event.keys() == {"id", "data"}
    assert event["id"] == str(number)
    assert json.loads(event["data"])["delta"]["text"] == text


@pytest.mark.parametrize(
    "text", ["\n\ndata: [DONE]\n\n", "\r", "\r\n", "\u2028", "\u0085", "\ufeff", "\0", "\ud83d"]
)
def test_the_nasty_ones(text: str) -> None:
    (event,) = parse(sse.encode(Text(0, text), 2).decode())
    assert json.loads(event["data"])["delta"]["text"] == text


def test_heartbeats_dispatch_nothing_and_the_sentinel_is_an_event() -> None:
    assert list(parse(sse.HEARTBEAT.decode())) == []
    assert list(parse(sse.DONE.decode())) == [{"data": "[DONE]"}]
