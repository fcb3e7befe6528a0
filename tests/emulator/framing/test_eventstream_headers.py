"""Header values of every type: their bytes, their limits."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from converse_emulator.framing.eventstream_headers import (
    BadHeaders,
    HeaderValue,
    decode_headers,
    encode_headers,
)
from converse_emulator.framing.header_values import Byte, Int, Long, Short

VALUES: dict[str, tuple[HeaderValue, bytes]] = {  # after the name: type, length if any, value
    "true": (True, b"\x00"),
    "false": (False, b"\x01"),
    "byte": (Byte(-49), b"\x02\xcf"),
    "short": (Short(-2), b"\x03\xff\xfe"),
    "int": (Int(40972), b"\x04\x00\x00\xa0\x0c"),
    "long": (Long(2**40), b"\x05\x00\x00\x01\x00\x00\x00\x00\x00"),
    "bytes": (b"\x00\xff", b"\x06\x00\x02\x00\xff"),
    "no bytes": (b"", b"\x06\x00\x00"),
    "string": ("é", b"\x07\x00\x02\xc3\xa9"),
    "no string": ("", b"\x07\x00\x00"),
    "timestamp": (datetime(1970, 1, 1, 0, 0, 1, 5000, UTC), b"\x08\x00\x00\x00\x00\x00\x00\x03\xed"),
    "before 1970": (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x08" + b"\xff" * 6 + b"\xfc\x18"),
    "uuid": (UUID(int=1), b"\x09" + bytes(15) + b"\x01"),
}


@pytest.mark.parametrize(("value", "raw"), VALUES.values(), ids=VALUES)
def test_a_value_of_each_type_both_ways(value: HeaderValue, raw: bytes) -> None:
    block = b"\x04name" + raw
    assert encode_headers((("name", value),)) == block
    assert decode_headers(block) == (("name", value),)


def test_headers_keep_their_order() -> None:
    headers = tuple((name, value) for name, (value, _) in reversed(VALUES.items()))
    assert decode_headers(encode_headers(headers)) == headers


def test_a_timestamp_is_told_in_utc_and_cut_to_milliseconds() -> None:
    east = timezone(timedelta(hours=2))
    block = encode_headers((("at", datetime(2026, 1, 1, 2, 0, 0, 1999, east)),))
    ((_, value),) = decode_headers(block)
    assert repr(value) == repr(datetime(2026, 1, 1, 0, 0, 0, 1000, UTC))


def test_a_name_has_1_to_255_bytes() -> None:
    assert decode_headers(encode_headers((("n" * 255, True),))) == (("n" * 255, True),)
    for name in ("", "é" * 128):
        with pytest.raises(ValueError, match=r"a header name of (0|256) bytes; allowed are 1 to 255"):
            encode_headers(((name, True),))


def test_a_string_has_at_most_32767_bytes() -> None:
    longest: HeaderValue = "s" * 32_767
    assert decode_headers(encode_headers((("a", longest),))) == (("a", longest),)
    for value in ("s" * 32_768, bytes(32_768)):
        with pytest.raises(ValueError, match="a header value of 32768 bytes; the limit is 32767"):
            encode_headers((("a", value),))


@pytest.mark.parametrize("value", [Byte(128), Short(-32_769), Int(2**31), Long(2**63)])
def test_a_number_that_does_not_fit_is_refused_with_its_name(value: HeaderValue) -> None:
    with pytest.raises(ValueError, match="header 'count': "):
        encode_headers((("count", value),))


def test_a_repeated_name_is_encoded_but_not_read() -> None:
    block = encode_headers((("a", True), ("a", False)))  # what a faulty server sends can be made
    with pytest.raises(BadHeaders, match="header 'a' occurs more than once") as raised:
        decode_headers(block)
    assert raised.value.at == 3
