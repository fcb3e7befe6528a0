"""Frames that come in, signed or not, become events; what is none is refused with the reason."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from converse_emulator.dialogue.inbound import MOST_BYTES, BadInput, Inbound
from converse_emulator.framing.eventstream import Message, encode

HEADERS = ((":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event"))
EVENT: dict[str, Any] = {"event": {"sessionStart": {"inferenceConfiguration": {}}}}
EXPECTED: list[tuple[str, dict[str, Any]]] = [("sessionStart", {"inferenceConfiguration": {}})]
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def chunk(event: Any) -> bytes:
    payload = json.dumps({"bytes": b64encode(json.dumps(event).encode()).decode()}).encode()
    return encode(Message(HEADERS, payload))


def signed(payload: bytes) -> bytes:
    return encode(Message(((":date", NOW), (":chunk-signature", bytes(32))), payload))


def test_a_message_is_an_event() -> None:
    assert list(Inbound().events(chunk(EVENT))) == EXPECTED


def test_a_signed_frame_has_it_inside_and_the_last_one_nothing() -> None:
    assert list(Inbound().events(signed(chunk(EVENT)) + signed(b""))) == EXPECTED


def test_bytes_may_be_cut_anywhere() -> None:
    inbound = Inbound()
    assert [event for byte in chunk(EVENT) * 2 for event in inbound.events(bytes([byte]))] == EXPECTED * 2


def test_every_frame_is_verified() -> None:
    seen: list[Message] = []
    list(Inbound(seen.append).events(signed(chunk(EVENT)) + signed(b"")))
    assert [len(frame.payload) > 0 for frame in seen] == [True, False]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (bytes(16), "The input is no event stream: prelude CRC"),
        (encode(Message((("x", "y"),))), "has the :event-type None; it must be 'chunk'"),
        (encode(Message(HEADERS, b"{")), "must be {.bytes.: BASE64}"),
        (encode(Message(HEADERS, b'{"bytes": "%"}')), "must be {.bytes.: BASE64}"),
        (chunk([]), "must be {.bytes.: BASE64}"),
        (chunk({"event": {}}), "must be {.bytes.: BASE64}"),
        (chunk({"event": {"a": {}, "b": {}}}), "must be {.bytes.: BASE64}"),
        (chunk({"event": {"textInput": "Hi"}}), "'textInput' of the input must be a JSON object"),
        (signed(chunk(EVENT) * 2), "must have one message in it"),
    ],
)
def test_what_is_no_event_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        list(Inbound().events(data))


def test_an_endless_message_is_refused() -> None:
    head = encode(Message(HEADERS, bytes(MOST_BYTES + 1)))
    with pytest.raises(BadInput, match="larger than"):
        list(Inbound().events(head[:-1]))
