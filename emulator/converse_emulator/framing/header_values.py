"""Header values of the types that Bedrock's own frames do not have: numbers, times, UUIDs.

They are apart, because `datetime` and `uuid` take 5 ms to import; see `eventstream_headers` for the types.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Byte:
    """A header value of type 2, a signed 8-bit integer."""

    value: int


@dataclass(frozen=True, slots=True)
class Short:
    """A header value of type 3, a signed 16-bit integer."""

    value: int


@dataclass(frozen=True, slots=True)
class Int:
    """A header value of type 4, a signed 32-bit integer."""

    value: int


@dataclass(frozen=True, slots=True)
class Long:
    """A header value of type 5, a signed 64-bit integer."""

    value: int


FixedValue = Byte | Short | Int | Long | datetime | UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# Type: size in bytes, and reader. One of a time raises `OverflowError` outside the years 1 to 9999.
FIXED: Mapping[int, tuple[int, Callable[[bytes], FixedValue]]] = {
    2: (1, lambda raw: Byte(int.from_bytes(raw, signed=True))),
    3: (2, lambda raw: Short(int.from_bytes(raw, signed=True))),
    4: (4, lambda raw: Int(int.from_bytes(raw, signed=True))),
    5: (8, lambda raw: Long(int.from_bytes(raw, signed=True))),
    8: (8, lambda raw: _EPOCH + int.from_bytes(raw, signed=True) * _MILLISECOND),
    9: (16, lambda raw: UUID(bytes=raw)),
}


def encode_fixed(value: FixedValue) -> bytes:
    """The type and the value; raises `struct.error` for a number that is too large."""
    match value:
        case Byte(number):
            return struct.pack(">Bb", 2, number)
        case Short(number):
            return struct.pack(">Bh", 3, number)
        case Int(number):
            return struct.pack(">Bi", 4, number)
        case Long(number):
            return struct.pack(">Bq", 5, number)
        case datetime():
            return struct.pack(">Bq", 8, (value - _EPOCH) // _MILLISECOND)
        case UUID():
            return b"\x09" + value.bytes
        case _ as never:
            assert_never(never)
