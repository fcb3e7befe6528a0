"""Each way to damage a frame: exactly that is wrong, and everything else still fits."""

import json
import struct
from zlib import crc32

import pytest
from converse_emulator.framing.damage import DAMAGES, TWO_GIB, damaged, depth_in
from converse_emulator.framing.eventstream import (
    ChecksumError,
    Decoder,
    FrameError,
    HeaderError,
    LengthError,
    Message,
)
from converse_emulator.framing.frames import endless_frame, error_frame, event_frame, exception_frame

BODY = {"contentBlockIndex": 0, "delta": {"text": 'say "你好" \\'}}
FRAME = event_frame("contentBlockDelta", BODY, 5)
NEXT = event_frame("contentBlockStop", {"contentBlockIndex": 0}, 5)


def decoded(what: str) -> list[Message]:
    return Decoder().feed(damaged(FRAME, what))


def payload(what: str) -> dict[str, object]:
    (message,) = decoded(what)
    found: dict[str, object] = json.loads(message.payload)
    return found


@pytest.mark.parametrize("what", DAMAGES)
@pytest.mark.parametrize(
    "frame", [FRAME, NEXT, exception_frame("throttlingException", "x"), error_frame("Failure", "x")]
)
def test_every_damage_can_befall_every_frame(what: str, frame: bytes) -> None:
    assert damaged(frame, what)
    assert DAMAGES[what].about.endswith(".")


@pytest.mark.parametrize(
    ("what", "error", "text"),
    [
        ("prelude_crc", ChecksumError, "prelude CRC"),
        ("message_crc", ChecksumError, "message CRC"),
        ("length_too_short", ChecksumError, "message CRC"),
        ("length_2gib", LengthError, "a payload of"),
        ("headers_length", HeaderError, "headers"),
        ("duplicate_header", HeaderError, "twice|more than once|duplicate"),
        ("header_type", HeaderError, "type 10"),
    ],
)
def test_what_a_decoder_says(what: str, error: type[FrameError], text: str) -> None:
    with pytest.raises(error, match=text):
        decoded(what)


def test_a_length_that_is_too_long_takes_the_next_frames_bytes() -> None:
    assert decoded("length_too_long") == []
    with pytest.raises(ChecksumError, match="message CRC"):
        Decoder().feed(damaged(FRAME, "length_too_long") + NEXT)


@pytest.mark.parametrize("what", ["length_too_long", "length_too_short", "length_2gib", "headers_length"])
def test_a_wrong_length_has_a_right_checksum(what: str) -> None:
    frame = damaged(FRAME, what)
    assert struct.unpack_from(">I", frame, 8) == (crc32(frame[:8]),)
    assert frame[12:-4] == FRAME[12:-4]


def test_two_gib() -> None:
    assert damaged(FRAME, "length_2gib")[:4] == struct.pack(">I", TWO_GIB)


def test_headers_that_are_missing_or_other() -> None:
    (message,) = decoded("no_message_type")
    assert [name for name, _ in message.headers] == [":event-type", ":content-type"]
    (message,) = decoded("event_type")
    assert message.header(":event-type") == "unknownEvent"


def test_payloads() -> None:
    (message,) = decoded("not_json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(message.payload)
    assert payload("empty_object") == {}
    assert decoded("no_payload")[0].payload == b""
    assert payload("no_index").keys() == {"delta", "p"}
    assert payload("wrong_shape") == {"contentBlockIndex": "", "delta": "", "p": {"value": "abcde"}}


def test_a_code_point_that_is_split_between_deltas_is_no_utf8_until_they_are_joined() -> None:
    first, second = decoded("code_point")
    for each in (first, second):
        with pytest.raises(UnicodeDecodeError):
            each.payload.decode()
    texts = [each.payload.split(b'"text":"')[1].split(b'"},"p"')[0] for each in (first, second)]
    assert b"".join(texts).decode() == json.dumps(BODY["delta"]["text"], ensure_ascii=False)[1:-1]  # type: ignore[index]


def test_one_byte() -> None:
    broken = damaged(FRAME, 17)
    assert broken[:17] + FRAME[17:18] + broken[18:] == FRAME != broken
    assert damaged(FRAME, 100_000) == FRAME


@pytest.mark.parametrize(
    ("part", "depth"),
    [("prelude", 4), ("prelude_crc", 10), ("message_crc", len(FRAME) - 2), (17, 17), (0.5, 0.5)],
)
def test_how_deep_a_part_is(part: str | float, depth: float) -> None:
    assert depth_in(FRAME, part) == depth


def test_headers_and_payload_are_deep_in_between() -> None:
    assert 12 < depth_in(FRAME, "headers") < 99 < depth_in(FRAME, "payload") < len(FRAME) - 4


def test_a_frame_without_end_is_good_as_far_as_it_goes() -> None:
    decoder = Decoder()
    assert decoder.feed(endless_frame() + b" " * 1000) == []


@pytest.mark.parametrize("what", DAMAGES)
@pytest.mark.parametrize("other", [b"", b"{}", damaged(FRAME, "duplicate_header"), FRAME + NEXT])
def test_what_is_no_good_frame_is_damaged_at_its_end(what: str, other: bytes) -> None:
    assert damaged(other, what) == other[:-1] + bytes(byte ^ 0xFF for byte in other[-1:])
    assert depth_in(other, "payload") == 0.5
