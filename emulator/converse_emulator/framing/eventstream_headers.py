"""The header block of an event-stream message: typed values to bytes and back.

    header = u8 name length | name | u8 type | value        (integers big-endian, names and strings UTF-8)

    type  value                    type  value
       0  true                        5  Long       i64
       1  false                       6  bytes      u16 length, bytes
       2  Byte       i8               7  str        u16 length, UTF-8
       3  Short      i16              8  datetime   i64, milliseconds since 1970 UTC
       4  Int        i32              9  UUID       16 bytes

Source: the Smithy specification `aws.protocols#eventstream` (amazon-eventstream).
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from converse_emulator.framing.header_values import FixedValue

MAX_HEADER_VALUE = 32_767  # bytes of a string or a byte array

HeaderValue: TypeAlias = "bool | bytes | str | FixedValue"
Headers = tuple[tuple[str, HeaderValue], ...]


class BadHeaders(ValueError):
    """A header block that cannot be read. `at` counts bytes from the start of the block."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


# ----------------------------------------------------------------------------------------------- to bytes


@lru_cache(maxsize=512)
def encode_headers(headers: Headers) -> bytes:
    """The header block; remembered, because an event type's headers never change."""
    return b"".join(_encode_header(name, value) for name, value in headers)


def _encode_header(name: str, value: HeaderValue) -> bytes:
    raw = name.encode()
    if not 1 <= len(raw) <= 255:
        raise ValueError(f"a header name of {len(raw)} bytes; allowed are 1 to 255")
    try:
        return bytes([len(raw)]) + raw + _encode_value(value)
    except struct.error as error:
        raise ValueError(f"header {name!r}: {error}") from error


def _encode_value(value: HeaderValue) -> bytes:
    match value:
        case bool():
            return b"\x00" if value else b"\x01"
        case bytes():
            return _sized(6, value)
        case str():
            return _sized(7, value.encode())
        case _:
            from converse_emulator.framing.header_values import encode_fixed

            return encode_fixed(value)


def _sized(kind: int, raw: bytes) -> bytes:
    if len(raw) > MAX_HEADER_VALUE:
        raise ValueError(f"a header value of {len(raw)} bytes; the limit is {MAX_HEADER_VALUE}")
    return struct.pack(">BH", kind, len(raw)) + raw


# --------------------------------------------------------------------------------------------- from bytes


@lru_cache(maxsize=512)
def decode_headers(block: bytes) -> Headers:
    """The headers of a whole header block, remembered; raises `BadHeaders`."""
    headers: dict[str, HeaderValue] = {}
    for at, name, value in _read_headers(block):
        if name in headers:
            raise BadHeaders(f"header {name!r} occurs more than once", at)
        headers[name] = value
    return tuple(headers.items())


def _read_headers(block: bytes) -> Iterator[tuple[int, str, HeaderValue]]:
    at = 0
    while at < len(block):
        start, name_length = at, block[at]
        if name_length == 0:
            raise BadHeaders("a header with an empty name", at)
        name = _text(block, at + 1, name_length)
        at += 1 + name_length
        value, at = _read_value(block, at, name)
        yield start, name, value


def _read_value(block: bytes, at: int, name: str) -> tuple[HeaderValue, int]:
    kind, at = _exactly(block, at, 1)[0], at + 1
    if kind in (6, 7):
        length = int.from_bytes(_exactly(block, at, 2))
        if length > MAX_HEADER_VALUE:
            raise BadHeaders(f"header {name!r} has {length} bytes; the limit is {MAX_HEADER_VALUE}", at)
        at += 2
        return (_exactly if kind == 6 else _text)(block, at, length), at + length
    if kind in (0, 1):
        return kind == 0, at
    from converse_emulator.framing.header_values import FIXED

    if kind not in FIXED:
        raise BadHeaders(f"header {name!r} has type {kind}; known are 0 to 9", at - 1)
    size, read = FIXED[kind]
    try:
        return read(_exactly(block, at, size)), at + size
    except OverflowError as error:
        raise BadHeaders(f"header {name!r} is a timestamp outside the years 1 to 9999", at) from error


def _text(block: bytes, at: int, length: int) -> str:
    try:
        return _exactly(block, at, length).decode()
    except UnicodeDecodeError as error:
        raise BadHeaders(f"not UTF-8: {error.reason}", at + error.start) from error


def _exactly(block: bytes, at: int, length: int) -> bytes:
    if at + length > len(block):
        raise BadHeaders(f"cut: {length} bytes wanted, {len(block) - at} left", at)
    return block[at : at + length]
