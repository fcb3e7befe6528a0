"""Messages to bytes and back: golden frames in every cut, limits, and what each damage is called."""

import struct
from zlib import crc32

import pytest
from converse_emulator.framing.eventstream import (
    MAX_HEADERS,
    MAX_PAYLOAD,
    ChecksumError,
    Decoder,
    FrameError,
    HeaderError,
    LengthError,
    Message,
    decode_headers,
    encode,
    encode_headers,
)
from converse_fixtures.golden import GOLDEN, MESSAGE_START, TEXT_DELTA, Golden

golden = pytest.mark.parametrize("frame", GOLDEN.values(), ids=GOLDEN)


def prelude(total: int, headers: int) -> bytes:
    """A prelude with a correct CRC, whatever its lengths."""
    lengths = struct.pack(">II", total, headers)
    return lengths + struct.pack(">I", crc32(lengths))


def sealed(data: bytes) -> bytes:
    """`data` with the message CRC that belongs to it."""
    return data + struct.pack(">I", crc32(data))


def with_headers(block: bytes) -> bytes:
    """A whole frame with this header block and no payload."""
    return sealed(prelude(16 + len(block), len(block)) + block)


@golden
def test_a_golden_message_encodes_to_its_bytes(frame: Golden) -> None:
    data, message = frame
    assert encode(message) == data


@golden
def test_golden_bytes_decode_to_their_message(frame: Golden) -> None:
    data, message = frame
    decoder = Decoder()
    assert decoder.feed(data) == [message]
    assert (decoder.pending, decoder.offset) == (0, len(data))


@golden
def test_byte_by_byte_the_message_comes_with_the_last_byte(frame: Golden) -> None:
    data, message = frame
    decoder = Decoder()
    arrived = [decoder.feed(data[at : at + 1]) for at in range(len(data))]
    assert arrived == [[]] * (len(data) - 1) + [[message]]


@golden
def test_trailing_bytes_wait_for_their_message(frame: Golden) -> None:
    data, message = frame
    decoder = Decoder()
    assert decoder.feed(data + data[:7]) == [message]
    assert (decoder.pending, decoder.offset) == (7, len(data))
    assert decoder.feed(data[7:]) == [message]


def test_all_golden_frames_in_one_piece() -> None:
    assert Decoder().feed(b"".join(data for data, _ in GOLDEN.values())) == [
        message for _, message in GOLDEN.values()
    ]


def test_the_smallest_message_has_neither_headers_nor_payload() -> None:
    assert Decoder().feed(encode(Message(()))) == [Message(())]
    assert len(encode(Message(()))) == 16


def test_a_header_is_found_by_name() -> None:
    _, message = TEXT_DELTA
    assert message.header(":event-type") == "contentBlockDelta"
    assert message.header(":exception-type") is None


def test_nothing_fed_is_nothing_decoded() -> None:
    decoder = Decoder()
    assert decoder.feed(b"") == []
    assert (decoder.pending, decoder.offset) == (0, 0)


def damaged(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 0xFF]) + frame[at + 1 :]


FRAME, _ = MESSAGE_START
DAMAGES: dict[str, tuple[bytes, type[FrameError], str]] = {
    "total length": (damaged(FRAME, 3), ChecksumError, "prelude CRC"),
    "headers length": (damaged(FRAME, 7), ChecksumError, "prelude CRC"),
    "prelude CRC": (damaged(FRAME, 8), ChecksumError, "prelude CRC is 0x5b21f9e3, calculated 0xa421f9e3"),
    "header": (damaged(FRAME, 14), ChecksumError, "message CRC"),
    "payload": (damaged(FRAME, 100), ChecksumError, "message CRC"),
    "message CRC": (damaged(FRAME, 131), ChecksumError, "message CRC"),
    "headers longer than the message": (prelude(16, 1), LengthError, "total length 16 has no room for 1 "),
    "too short for itself": (prelude(15, 0), LengthError, "total length 15 has no room for 0 "),
    "too long headers": (prelude(2**20, MAX_HEADERS + 1), LengthError, "headers of 131073 bytes"),
    "too long payload": (prelude(16 + MAX_PAYLOAD + 1, 0), LengthError, "a payload of 25165825 bytes"),
}
BAD_BLOCKS = {  # header blocks, and what is said of them
    "unknown type": (b"\x01a\x0a", "byte 2 of the headers: header 'a' has type 10; known are 0 to 9"),
    "name twice": (b"\x01a\x00\x01a\x01", "byte 3 of the headers: header 'a' occurs more than once"),
    "no name": (b"\x00\x00", "byte 0 of the headers: a header with an empty name"),
    "cut name": (b"\x05abc", "byte 1 of the headers: cut: 5 bytes wanted, 3 left"),
    "cut value": (b"\x01a\x07\x00\x05abc", "byte 5 of the headers: cut: 5 bytes wanted, 3 left"),
    "no type": (b"\x01a", "byte 2 of the headers: cut: 1 bytes wanted, 0 left"),
    "name not UTF-8": (b"\x01\xff\x00", "byte 1 of the headers: not UTF-8"),
    "string not UTF-8": (b"\x01a\x07\x00\x02a\xff", "byte 6 of the headers: not UTF-8"),
    "too long value": (b"\x01a\x06\x80\x00" + bytes(32_768), "byte 3 of the headers: header 'a' has 32768"),
    "timestamp in no year": (b"\x01a\x08\x7f" + b"\xff" * 7, "byte 3 of the headers: header 'a' is a time"),
}
DAMAGES |= {name: (with_headers(block), HeaderError, text) for name, (block, text) in BAD_BLOCKS.items()}


@pytest.mark.parametrize(("data", "error", "text"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named_and_located(data: bytes, error: type[FrameError], text: str) -> None:
    good, message = TEXT_DELTA
    decoder = Decoder()
    messages = decoder.messages(good + data)
    assert next(messages) == message  # what comes before the damage is not lost
    with pytest.raises(error, match=text) as raised:
        next(messages)
    assert raised.value.offset == decoder.offset == len(good)
    assert f"starts at byte {len(good)} of the stream" in str(raised.value)


def test_a_spent_decoder_stays_at_its_error() -> None:
    decoder = Decoder()
    for data in (DAMAGES["prelude CRC"][0], FRAME):
        with pytest.raises(ChecksumError):
            decoder.feed(data)
    assert decoder.offset == 0


def test_a_bad_prelude_is_told_before_the_message_is_complete() -> None:
    with pytest.raises(LengthError):
        Decoder().feed(prelude(2**31, 0))


def test_the_longest_payload_passes_and_one_byte_more_does_not() -> None:
    message = Message((), bytes(MAX_PAYLOAD))
    assert Decoder().feed(encode(message)) == [message]
    with pytest.raises(ValueError, match="a payload of 25165825 bytes; the limit is 25165824"):
        encode(Message((), bytes(MAX_PAYLOAD + 1)))


def test_the_longest_header_block_passes_and_one_byte_more_does_not() -> None:
    def block_of(length: int) -> Message:
        headers = tuple((f"{number:03}", bytes(32_761)) for number in range(length // 32_768))
        spare = length - len(encode_headers(headers))
        return Message((*headers, ("pad", bytes(spare - 7)))) if spare else Message(headers)

    message = block_of(MAX_HEADERS)
    assert Decoder().feed(encode(message)) == [message]
    with pytest.raises(ValueError, match="headers of 131080 bytes; the limit is 131072"):
        encode(block_of(MAX_HEADERS + 8))


def test_equal_headers_are_read_once() -> None:
    (first,), (second,) = Decoder().feed(FRAME), Decoder().feed(FRAME)
    assert first.headers is second.headers
    assert decode_headers(FRAME[12:94]) is first.headers
