"""Frames damaged in one way each: exactly that is wrong, everything else still fits.

A row is a way: what it does in words, and the function from a good frame to the damaged one.
"""

import json
import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple
from zlib import crc32

from converse_emulator.framing.eventstream import OVERHEAD, PRELUDE, Decoder, FrameError
from converse_emulator.framing.eventstream_headers import decode_headers, encode_headers
from converse_emulator.http.responses import compact_json
from converse_emulator.language.scenario import Json

TWO_GIB = 2**31
_CRC = struct.Struct(">I")


class Damage(NamedTuple):
    """A way to damage a frame."""

    about: str
    apply: Callable[[bytes], bytes]


def inverted(frame: bytes, at: int) -> bytes:
    """One byte inverted, counted from 0; the frame as it is where it is shorter."""
    return frame[:at] + _inverted(frame[at : at + 1]) + frame[at + 1 :] if at >= 0 else frame


def _prelude_crc(frame: bytes) -> bytes:
    damaged = frame[:8] + _inverted(frame[8:12]) + frame[12:-4]
    return damaged + _CRC.pack(crc32(damaged))


def _message_crc(frame: bytes) -> bytes:
    return frame[:-4] + _inverted(frame[-4:])


def _total_longer(frame: bytes) -> bytes:
    return _frame(*_parts(frame), total=len(frame) + 7)


def _total_shorter(frame: bytes) -> bytes:
    return _frame(*_parts(frame), total=len(frame) - 7)


def _total_huge(frame: bytes) -> bytes:
    return _frame(*_parts(frame), total=TWO_GIB)


def _headers_longer(frame: bytes) -> bytes:
    headers, payload = _parts(frame)
    return _frame(headers, payload, headers_length=len(headers) + 5)


def _duplicate_header(frame: bytes) -> bytes:
    headers, payload = _parts(frame)
    first = decode_headers(headers)[:1]
    return _frame(headers + encode_headers(first), payload)


def _header_type(frame: bytes) -> bytes:
    headers, payload = _parts(frame)
    at = 1 + headers[0]  # after the first name
    return _frame(headers[:at] + b"\x0a" + headers[at + 1 :], payload)


def _no_message_type(frame: bytes) -> bytes:
    headers, payload = _parts(frame)
    kept = tuple(each for each in decode_headers(headers) if each[0] != ":message-type")
    return _frame(encode_headers(kept), payload)


def _event_type(frame: bytes) -> bytes:
    headers, payload = _parts(frame)
    named = tuple(
        (name, "unknownEvent" if name == ":event-type" else value) for name, value in decode_headers(headers)
    )
    return _frame(encode_headers(named), payload)


def _not_json(frame: bytes) -> bytes:
    headers, payload = _parts(frame)
    return _frame(headers, payload[:-1] + b" " if payload else b"{")


def _wrong_shape(frame: bytes) -> bytes:
    headers, payload = _parts(frame)
    return _frame(headers, compact_json({name: _other(value) for name, value in _object(payload).items()}))


def _other(value: Json) -> Json:
    """A value of another type."""
    return "" if isinstance(value, int | float | dict | list) else {"value": value}


def _empty_object(frame: bytes) -> bytes:
    return _frame(_parts(frame)[0], b"{}")


def _no_payload(frame: bytes) -> bytes:
    return _frame(_parts(frame)[0], b"")


def _no_index(frame: bytes) -> bytes:
    headers, payload = _parts(frame)
    kept = {name: value for name, value in _object(payload).items() if name != "contentBlockIndex"}
    return _frame(headers, compact_json(kept))


def _split_code_point(frame: bytes) -> bytes:
    """Two frames: the text's first code point of several bytes begins in one and ends in the other."""
    headers, payload = _parts(frame)
    before, quote, text = payload.partition(b'"text":"')
    at = next((i for i, byte in enumerate(text, 1) if byte >= 0xC0), 0)
    end = _end_of_string(text)
    if not 0 < at < end:
        return frame
    before, first, rest, after = before + quote, text[:at], text[at:end], text[end:]
    return _frame(headers, before + first + after) + _frame(headers, before + rest + after)


def _end_of_string(text: bytes) -> int:
    """Where the quote is that ends a JSON string, of which `text` is what follows the first quote."""
    at = 0
    while at < len(text) and text[at] != ord('"'):
        at += 2 if text[at] == ord("\\") else 1
    return at


DAMAGES: Mapping[str, Damage] = {
    "prelude_crc": Damage("The checksum of the prelude is wrong.", _prelude_crc),
    "message_crc": Damage("The checksum of the message is wrong.", _message_crc),
    "length_too_long": Damage("The total length claims 7 bytes of the next frame.", _total_longer),
    "length_too_short": Damage("The total length leaves 7 bytes over.", _total_shorter),
    "length_2gib": Damage("The total length is 2 GiB.", _total_huge),
    "headers_length": Damage("The headers' length claims 5 bytes of the payload.", _headers_longer),
    "duplicate_header": Damage("The first header comes twice.", _duplicate_header),
    "header_type": Damage("The first header has a type that does not exist (10).", _header_type),
    "no_message_type": Damage("There is no `:message-type`.", _no_message_type),
    "event_type": Damage("`:event-type` is one that nobody knows.", _event_type),
    "not_json": Damage("The payload lacks its closing brace.", _not_json),
    "wrong_shape": Damage("Every member of the payload is of another type.", _wrong_shape),
    "empty_object": Damage("The payload is `{}`.", _empty_object),
    "no_payload": Damage("There is no payload.", _no_payload),
    "no_index": Damage("`contentBlockIndex` is missing.", _no_index),
    "code_point": Damage(
        "The first code point of several bytes is split between this delta and one more: "
        "no JSON can say that, so real Bedrock never sends it.",
        _split_code_point,
    ),
}


def damaged(frame: bytes, what: str | int) -> bytes:
    """The frame with that damage, a row of the table or one byte of it inverted.

    Of what is no good frame (literal bytes, or one that is damaged already) the last byte is inverted.
    """
    if isinstance(what, int):
        return inverted(frame, what)
    return DAMAGES[what].apply(frame) if _is_good(frame) else inverted(frame, len(frame) - 1)


def depth_in(frame: bytes, at: int | float | str) -> int | float:
    """Where in a frame: bytes or a fraction as they are, a part's middle in bytes."""
    if not isinstance(at, str):
        return at
    if not _is_good(frame):
        return 0.5
    headers_end = PRELUDE.size + int(PRELUDE.unpack_from(frame)[1])
    bounds = {
        "prelude": (0, 8),
        "prelude_crc": (8, 12),
        "headers": (PRELUDE.size, headers_end),
        "payload": (headers_end, len(frame) - 4),
        "message_crc": (len(frame) - 4, len(frame)),
    }
    begin, end = bounds[at]
    return (begin + end) // 2


def _is_good(frame: bytes) -> bool:
    decoder = Decoder()
    try:
        return len(decoder.feed(frame)) == 1 and not decoder.pending
    except FrameError:
        return False


def _parts(frame: bytes) -> tuple[bytes, bytes]:
    """Headers and payload."""
    _, headers_length, _ = PRELUDE.unpack_from(frame)
    end = PRELUDE.size + headers_length
    return frame[PRELUDE.size : end], frame[end:-4]


def _frame(
    headers: bytes, payload: bytes, *, total: int | None = None, headers_length: int | None = None
) -> bytes:
    """A frame of these parts; lengths that are given are told in place of the true ones."""
    lengths = struct.pack(
        ">II",
        OVERHEAD + len(headers) + len(payload) if total is None else total,
        len(headers) if headers_length is None else headers_length,
    )
    frame = lengths + _CRC.pack(crc32(lengths)) + headers + payload
    return frame + _CRC.pack(crc32(frame))


def _object(payload: bytes) -> dict[str, Json]:
    value = json.loads(payload) if payload else {}
    return value if isinstance(value, dict) else {}


def _inverted(raw: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in raw)
