"""The frames of ConverseStream and InvokeModelWithResponseStream, byte for byte as real Bedrock sends them.

    event      :event-type, :content-type, :message-type         {"contentBlockIndex":0,…,"p":"abcd…"}
    chunk      likewise                                          {"bytes":"eyJ0…","p":"abcd…"}
    exception  :exception-type, :content-type, :message-type     {"message":"…"}
    error      :error-code, :error-message, :message-type        (no payload; no recording shows one)

Headers are strings in that order. Payloads are compact UTF-8 JSON, keys sorted. Every event is padded by a
member `p`, a prefix of a fixed alphabet whose length is random and says nothing about the rest.
"""

import struct
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from random import Random
from zlib import crc32

from converse_emulator.framing.eventstream import (
    MAX_PAYLOAD,
    OVERHEAD,
    Headers,
    Message,
    Prefix,
    completed,
    encode,
    encode_headers,
    prefix,
)
from converse_emulator.http.responses import canonical_json, compact_json
from converse_emulator.language.scenario import Json

PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SHORTEST, LONGEST = 2, 61  # of an event's padding
VARIANTS = 16  # sequences of them
_LENGTHS = bytes(SHORTEST + byte * (LONGEST - SHORTEST + 1) // 256 for byte in range(256))  # of a random byte


def draw_padding(rng: Random) -> int:
    """The length of an event's padding, as real Bedrock draws it."""
    return _LENGTHS[rng.getrandbits(8)]


def paddings(variant: int, count: int) -> bytes:
    """The first paddings of a sequence, a byte each, as random as single ones.

    There are few sequences, so that streams that say the same come out in few ways and can be kept.
    """
    return _sequence(variant, max(256, 1 << (count - 1).bit_length()))[:count]


@lru_cache(maxsize=64)
def _sequence(variant: int, length: int) -> bytes:
    """A longer one begins like a shorter one: chance comes in words, which these lengths are full of."""
    return Random(variant).randbytes(length).translate(_LENGTHS)


def event_frame(event_type: str, body: Mapping[str, Json], padding: int | None) -> bytes:
    """The frame of an event, with `padding` characters of padding (None: as before late 2024, without)."""
    payload = _payload(body, padding)
    return completed(_event_prefix(event_type, len(payload)), payload)


def chunk_frame(data: bytes, padding: int | None) -> bytes:
    """The frame of a chunk of a model's native response."""
    payload = {"bytes": b64encode(data).decode()}
    if padding is not None:
        payload["p"] = PADDING[:padding]
    return encode(Message(_event_headers("chunk"), compact_json(payload)))


def exception_frame(name: str, message: str) -> bytes:
    """The frame of an exception; `name` is the member of the stream's union, as throttlingException."""
    headers = (
        (":exception-type", name),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    )
    return encode(Message(headers, canonical_json({"message": message})))


def error_frame(code: str, message: str) -> bytes:
    """The frame of an error that the service model does not know."""
    headers = ((":error-code", code), (":error-message", message), (":message-type", "error"))
    return encode(Message(headers))


def endless_frame() -> bytes:
    """Prelude and headers of a delta whose payload is so long that nobody sees its end."""
    headers = encode_headers(_event_headers("contentBlockDelta"))
    lengths = struct.pack(">II", OVERHEAD + len(headers) + MAX_PAYLOAD, len(headers))
    return lengths + struct.pack(">I", crc32(lengths)) + headers


@lru_cache(maxsize=4096)
def _event_prefix(event_type: str, payload_length: int) -> Prefix:
    """Found by two small keys: the headers are many strings to look up."""
    return prefix(_event_headers(event_type), payload_length)


@lru_cache(maxsize=64)
def _event_headers(event_type: str) -> Headers:
    return (
        (":event-type", event_type),
        (":content-type", "application/json"),
        (":message-type", "event"),
    )


def _payload(body: Mapping[str, Json], padding: int | None) -> bytes:
    if padding is None:
        return canonical_json(body)
    index, delta = body.get("contentBlockIndex"), body.get("delta")
    if type(index) is int and type(delta) is dict and len(body) == 2:
        text = delta.get("text")
        if type(text) is str and len(delta) == 1:
            # Nearly every frame is a text delta; the template costs a tenth of the general way.
            quoted = encode_basestring(text)
            json = f'{{"contentBlockIndex":{index},"delta":{{"text":{quoted}}},"p":"{PADDING[:padding]}"}}'
            return json.encode("utf-8", "replace")
    return canonical_json({**body, "p": PADDING[:padding]})
