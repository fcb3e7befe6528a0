"""Frames against what real Bedrock sends: headers, keys, padding, and one wrong checksum when asked for."""

import json
import struct
from collections import Counter
from random import Random
from typing import Any
from zlib import crc32

import pytest
from converse_emulator.framing.damage import damaged
from converse_emulator.framing.eventstream import ChecksumError, Decoder, Message
from converse_emulator.framing.frames import (
    PADDING,
    draw_padding,
    error_frame,
    event_frame,
    exception_frame,
)
from hypothesis import given, settings
from hypothesis import strategies as st

unhurried = settings(deadline=None)  # a busy machine is no failure

TEXT_DELTA: dict[str, Any] = {"contentBlockIndex": 0, "delta": {"text": "Hi"}}
# Lengths of the header blocks of recorded frames.
HEADER_BYTES = {
    "messageStart": 82,
    "contentBlockStart": 87,
    "contentBlockDelta": 87,
    "contentBlockStop": 86,
    "messageStop": 81,
    "metadata": 78,
}
EXCEPTION_BYTES = {"modelStreamErrorException": 103, "validationException": 97}


def decoded(frame: bytes) -> Message:
    (message,) = Decoder().feed(frame)
    return message


def test_an_event_frame() -> None:
    message = decoded(event_frame("contentBlockDelta", TEXT_DELTA, 3))
    assert message.headers == (
        (":event-type", "contentBlockDelta"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    )
    assert message.payload == b'{"contentBlockIndex":0,"delta":{"text":"Hi"},"p":"abc"}'


def test_an_exception_frame_has_no_padding() -> None:
    message = decoded(exception_frame("throttlingException", "Too many tokens"))
    assert message.headers == (
        (":exception-type", "throttlingException"),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    )
    assert message.payload == b'{"message":"Too many tokens"}'


def test_an_error_frame_is_headers_only() -> None:
    message = decoded(error_frame("InternalFailure", "Oops"))
    assert message.headers == (
        (":error-code", "InternalFailure"),
        (":error-message", "Oops"),
        (":message-type", "error"),
    )
    assert message.payload == b""


@pytest.mark.parametrize(("event_type", "length"), HEADER_BYTES.items())
def test_header_blocks_are_as_long_as_recorded_ones(event_type: str, length: int) -> None:
    assert struct.unpack_from(">I", event_frame(event_type, {}, 2), 4) == (length,)


@pytest.mark.parametrize(("name", "length"), EXCEPTION_BYTES.items())
def test_header_blocks_of_exceptions_are_too(name: str, length: int) -> None:
    assert struct.unpack_from(">I", exception_frame(name, "x"), 4) == (length,)


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        ({"role": "assistant"}, '{"p":"ab","role":"assistant"}'),
        ({"contentBlockIndex": 2}, '{"contentBlockIndex":2,"p":"ab"}'),
        (
            {"start": {"toolUse": {"toolUseId": "x", "name": "y"}}, "contentBlockIndex": 0},
            '{"contentBlockIndex":0,"p":"ab","start":{"toolUse":{"name":"y","toolUseId":"x"}}}',
        ),
        (
            {"stopReason": "end_turn", "additionalModelResponseFields": {"z": 1, "a": 2}},
            '{"additionalModelResponseFields":{"z":1,"a":2},"p":"ab","stopReason":"end_turn"}',
        ),
        (
            {"delta": {"toolResult": [{"json": {"stdOut": "", "exitCode": 0}}]}, "contentBlockIndex": 1},
            '{"contentBlockIndex":1,"delta":{"toolResult":[{"json":{"stdOut":"","exitCode":0}}]},"p":"ab"}',
        ),
    ],
)
def test_keys_are_sorted_except_in_documents(body: dict[str, Any], payload: str) -> None:
    assert decoded(event_frame("x", body, 2)).payload.decode() == payload


def test_old_frames_had_no_padding() -> None:
    assert decoded(event_frame("contentBlockDelta", TEXT_DELTA, None)).payload == (
        b'{"contentBlockIndex":0,"delta":{"text":"Hi"}}'
    )


@unhurried
@given(
    st.text() | st.sampled_from(['"\\/<>&\n\t\x00\x7f', "\u2028é你🌍"]), st.integers(0, 9), st.integers(0, 62)
)
def test_text_deltas_are_written_as_json_writes_them(text: str, index: int, padding: int) -> None:
    body = {"contentBlockIndex": index, "delta": {"text": text}}
    expected = json.dumps({**body, "p": PADDING[:padding]}, separators=(",", ":"), ensure_ascii=False)
    assert decoded(event_frame("contentBlockDelta", body, padding)).payload == expected.encode()


def test_half_a_surrogate_pair_does_not_break_the_frame() -> None:
    body = {"contentBlockIndex": 0, "delta": {"text": "\ud83d"}}
    assert b'"text":"?"' in decoded(event_frame("contentBlockDelta", body, 2)).payload


def test_a_literal_index_that_is_no_number_is_kept() -> None:
    body = {"contentBlockIndex": True, "delta": {"text": "x"}}
    assert json.loads(decoded(event_frame("contentBlockDelta", body, 2)).payload)["contentBlockIndex"] is True


def test_padding_is_uniform_between_2_and_61() -> None:
    rng = Random(1)
    drawn = Counter(draw_padding(rng) for _ in range(6_000))
    assert set(drawn) == set(range(2, 62))
    assert all(50 < times < 160 for times in drawn.values())


def test_a_corrupted_message_has_that_checksum_wrong_only() -> None:
    frame = event_frame("contentBlockDelta", TEXT_DELTA, 5)
    broken = damaged(frame, "message_crc")
    assert broken[:-4] == frame[:-4]
    with pytest.raises(ChecksumError, match="message"):
        Decoder().feed(broken)


def test_a_corrupted_prelude_has_that_checksum_wrong_only() -> None:
    frame = event_frame("contentBlockDelta", TEXT_DELTA, 5)
    broken = damaged(frame, "prelude_crc")
    assert (broken[:8], broken[12:-4]) == (frame[:8], frame[12:-4])
    assert struct.unpack(">I", broken[-4:]) == (crc32(broken[:-4]),)
    with pytest.raises(ChecksumError, match="prelude"):
        Decoder().feed(broken)
