"""`application/vnd.amazon.eventstream`: messages to bytes and back, without I/O.

    +--------------+----------------+-------------+=========+=========+-------------+
    | total length | headers length | prelude CRC | headers | payload | message CRC |
    |     u32      |      u32       |     u32     |         |         |     u32     |
    +--------------+----------------+-------------+=========+=========+-------------+

All integers are big-endian, the CRC is zlib's. The prelude CRC covers the first eight bytes, the message
CRC everything before itself. The header block is `eventstream_headers`' matter.
Source: the Smithy specification `aws.protocols#eventstream` (amazon-eventstream).
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from converse_emulator.framing.eventstream_headers import (
    MAX_HEADER_VALUE,
    BadHeaders,
    Headers,
    HeaderValue,
    decode_headers,
    encode_headers,
)

__all__ = [
    "MAX_HEADERS",
    "MAX_HEADER_VALUE",
    "MAX_PAYLOAD",
    "OVERHEAD",
    "PRELUDE",
    "ChecksumError",
    "Decoder",
    "FrameError",
    "HeaderError",
    "HeaderValue",
    "Headers",
    "LengthError",
    "Message",
    "decode_headers",
    "encode",
    "encode_headers",
]

MAX_PAYLOAD = 25_165_824  # 24 MiB, the specification's limit
MAX_HEADERS = 131_072  # 128 KiB
PRELUDE = struct.Struct(">III")  # total length, headers length, prelude CRC
OVERHEAD = 16  # prelude and message CRC
_LENGTHS = struct.Struct(">II")
_CRC = struct.Struct(">I")


class Message(NamedTuple):
    """One message: its headers in wire order and its payload."""

    headers: Headers
    payload: bytes = b""

    def header(self, name: str) -> "HeaderValue | None":
        """The value of the first header called `name`."""
        return next((value for key, value in self.headers if key == name), None)


Prefix = tuple[bytes, int]  # how a message begins, up to its payload, and the CRC of that


class FrameError(ValueError):
    """Bytes that are no event-stream message. `offset`: where in the stream the message starts."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"{what} (in the message that starts at byte {offset} of the stream)")
        self.offset = offset


class LengthError(FrameError):
    """A length that contradicts the frame or exceeds the specification's limit."""


class ChecksumError(FrameError):
    """A CRC that does not match its bytes."""

    def __init__(self, which: str, found: int, calculated: int, offset: int) -> None:
        super().__init__(f"{which} CRC is 0x{found:08x}, calculated 0x{calculated:08x}", offset)


class HeaderError(FrameError):
    """A header with an unknown type, a bad length, or a name that occurs twice."""


def encode(message: Message) -> bytes:
    """The bytes of one message; `ValueError` for what does not fit the format."""
    return completed(prefix(message.headers, len(message.payload)), message.payload)


def completed(begun: Prefix, payload: bytes) -> bytes:
    """The bytes of the message that begins so."""
    beginning, running = begun
    return beginning + payload + _CRC.pack(crc32(payload, running))


@lru_cache(maxsize=4096)
def prefix(headers: Headers, payload_length: int) -> Prefix:
    """Prelude and headers, with their CRC: the same for all frames of one type and length."""
    block = encode_headers(headers)
    if len(block) > MAX_HEADERS:
        raise ValueError(f"headers of {len(block)} bytes; the limit is {MAX_HEADERS}")
    if payload_length > MAX_PAYLOAD:
        raise ValueError(f"a payload of {payload_length} bytes; the limit is {MAX_PAYLOAD}")
    lengths = _LENGTHS.pack(OVERHEAD + len(block) + payload_length, len(block))
    beginning = lengths + _CRC.pack(crc32(lengths)) + block
    return beginning, crc32(beginning)


class Decoder:
    """An incremental decoder: `feed` bytes in any cuts, get the messages that are complete.

    After an error the decoder is spent: a stream has no way to find the next message.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._offset = 0

    @property
    def pending(self) -> int:
        """Bytes of a message that is not complete. More than 0 at a stream's end: it was cut mid-frame."""
        return len(self._buffer)

    @property
    def offset(self) -> int:
        """Bytes of complete messages so far: where in the stream the next message starts."""
        return self._offset

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes; raises `FrameError` at the first bad one."""
        return list(self.messages(data))

    def messages(self, data: bytes) -> Iterator[Message]:
        """As `feed`, one by one: the good messages before a bad one are not lost."""
        self._buffer += data
        return iter(self._next, None)

    def _next(self) -> Message | None:
        buffer = self._buffer
        if len(buffer) < PRELUDE.size:
            return None
        total, headers_length, prelude_crc = PRELUDE.unpack_from(buffer)
        if (calculated := crc32(buffer[:8])) != prelude_crc:
            raise ChecksumError("prelude", prelude_crc, calculated, self._offset)
        headers_end = PRELUDE.size + headers_length
        self._check_lengths(total, headers_length)
        if len(buffer) < total:
            return None
        frame = bytes(buffer[:total])
        (message_crc,) = _CRC.unpack_from(frame, total - 4)
        if (calculated := crc32(frame[:-4])) != message_crc:
            raise ChecksumError("message", message_crc, calculated, self._offset)
        try:
            headers = decode_headers(frame[PRELUDE.size : headers_end])
        except BadHeaders as error:
            raise HeaderError(f"byte {error.at} of the headers: {error}", self._offset) from error
        del buffer[:total]
        self._offset += total
        return Message(headers, frame[headers_end:-4])

    def _check_lengths(self, total: int, headers: int) -> None:
        payload = total - headers - OVERHEAD
        if headers > MAX_HEADERS:
            raise LengthError(f"headers of {headers} bytes; the limit is {MAX_HEADERS}", self._offset)
        if payload < 0:
            raise LengthError(
                f"total length {total} has no room for {headers} bytes of headers", self._offset
            )
        if payload > MAX_PAYLOAD:
            raise LengthError(f"a payload of {payload} bytes; the limit is {MAX_PAYLOAD}", self._offset)
