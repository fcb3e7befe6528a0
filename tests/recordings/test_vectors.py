"""Public event-stream vectors, both ways. They lie beside the repository; without them: skipped."""

import json
import struct
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zlib import crc32

import pytest
from converse_emulator.framing.eventstream import (
    ChecksumError,
    Decoder,
    FrameError,
    HeaderError,
    HeaderValue,
    LengthError,
    Message,
    encode,
)
from converse_emulator.framing.header_values import Byte, Int, Long, Short

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"no vectors in {VECTORS}")

KINDS = ("true", "false", "byte", "short", "int", "long", "bytes", "string", "timestamp", "uuid")  # by type
NUMBERS: Mapping[str, Callable[[int], HeaderValue]] = {"byte": Byte, "short": Short, "int": Int, "long": Long}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def files(folder: str, pattern: str = "*") -> list[Path]:
    return sorted((VECTORS / folder).glob(pattern))


def vectors(file: str) -> list[dict[str, Any]]:
    path = VECTORS / file
    found: list[dict[str, Any]] = json.loads(path.read_text())["vectors"] if path.exists() else []
    return found


def each(vectors: Iterable[Any], key: str = "name") -> pytest.MarkDecorator:
    """One test a vector, called by its file or its name."""
    chosen = list(vectors)
    names = [item.name if isinstance(item, Path) else item[key] for item in chosen]
    return pytest.mark.parametrize("vector", chosen, ids=names)


def value_of(kind: str, plain: Any) -> HeaderValue:
    """Our header value for a vector's: bytes and UUIDs raw, timestamps in milliseconds."""
    match kind, plain:
        case (("true" | "false"), bool()):
            return plain
        case (("byte" | "short" | "int" | "long"), int()):
            return NUMBERS[kind](plain)
        case "bytes", bytes():
            return plain
        case "string", str():
            return plain
        case "timestamp", int():
            return EPOCH + timedelta(milliseconds=plain)
        case "uuid", bytes():
            return UUID(bytes=plain)
        case _:
            raise AssertionError(f"no {kind}: {plain!r}")


def holds_both_ways(data: bytes, message: Message) -> None:
    decoder = Decoder()
    assert decoder.feed(data) == [message]
    assert decoder.pending == 0
    assert encode(message) == data


# --------------------------------------------------------------------------------------- smithy-typescript


def typescript_value(kind: str, plain: Any) -> HeaderValue:
    match kind:
        case "bytes" | "uuid":
            return value_of(kind, b64decode(plain))
        case "string":
            return b64decode(plain).decode()
        case _:
            return value_of(kind, plain)


@each(files("smithy-typescript/decoded/positive"))
def test_smithy_typescript(vector: Path) -> None:
    expected = json.loads(vector.read_text())
    data = (VECTORS / "smithy-typescript/encoded/positive" / vector.name).read_bytes()
    headers = tuple(
        (header["name"], typescript_value(KINDS[header["type"]], header["value"]))
        for header in expected["headers"]
    )
    holds_both_ways(data, Message(headers, b64decode(expected["payload"])))
    assert data[:8] == struct.pack(">II", expected["total_length"], expected["headers_length"])
    assert data[8:12] == struct.pack(">i", expected["prelude_crc"])
    assert data[-4:] == struct.pack(">i", expected["message_crc"])


@each(files("smithy-typescript/decoded/negative"))
def test_smithy_typescript_refuses(vector: Path) -> None:
    which = vector.read_text().split()[0].lower()  # "Prelude checksum mismatch"
    data = (VECTORS / "smithy-typescript/encoded/negative" / vector.name).read_bytes()
    with pytest.raises(ChecksumError, match=f"^{which} CRC"):
        Decoder().feed(data)


# ----------------------------------------------------------------------------------------------- smithy-rs

UUID_OF_RS = UUID("b79bc914-de21-4e13-b8b2-bc47e85b7f0b")
RS = {
    "valid_empty_payload": Message((("some-header", Short(500)),)),
    "valid_no_headers": Message((), b"another test payload"),
    "valid_with_all_headers_and_payload": Message(
        (
            ("true", True),
            ("false", False),
            ("byte", Byte(50)),
            ("short", Short(20_000)),
            ("int", Int(500_000)),
            ("long", Long(50_000_000_000)),
            ("bytes", b"some bytes"),
            ("str", "some str"),
            ("time", EPOCH + timedelta(seconds=5_000_000)),
            ("uuid", UUID_OF_RS),
        ),
        b"some payload",
    ),
}


@each(files("smithy-rs", "valid_*"))
def test_smithy_rs(vector: Path) -> None:
    holds_both_ways(vector.read_bytes(), RS[vector.name])


@each(files("smithy-rs", "invalid_*"))
def test_smithy_rs_refuses(vector: Path) -> None:
    with pytest.raises(FrameError):
        Decoder().feed(vector.read_bytes())


@each(files("smithy-rs", "invalid_header_*"))
def test_smithy_rs_refuses_the_header_itself(vector: Path) -> None:
    """Theirs are refused for the CRC already; with a correct one the header is what is wrong."""
    data = vector.read_bytes()
    body = data[: int.from_bytes(data[:4]) - 4]
    with pytest.raises(HeaderError):
        Decoder().feed(body + struct.pack(">I", crc32(body)))


# ------------------------------------------------------------------------------------------------ botocore

BOTOCORE = vectors("botocore/test_eventstream_vectors.json")
BOTOCORE_ERRORS = {
    "ChecksumMismatch": ChecksumError,
    "DuplicateHeader": HeaderError,
    "InvalidHeadersLength": LengthError,
}


def untyped(value: HeaderValue) -> Any:
    """As botocore tells a header's value: without its type."""
    match value:
        case Byte(plain) | Short(plain) | Int(plain) | Long(plain):
            return plain
        case datetime():
            return (value - EPOCH) // timedelta(milliseconds=1)
        case UUID():
            return value.bytes
        case _:
            return value


@each(vector for vector in BOTOCORE if "expect" not in vector)
def test_botocore(vector: dict[str, Any]) -> None:
    data = b64decode(vector["encoded_base64"])
    (message,) = Decoder().feed(data)
    assert encode(message) == data
    assert message.payload == b64decode(vector["payload_base64"])
    assert {name: untyped(value) for name, value in message.headers} == {
        name: b64decode(value["base64"]) if isinstance(value, dict) else value
        for name, value in vector["headers"].items()
    }


@each(vector for vector in BOTOCORE if "expect" in vector)
def test_botocore_refuses(vector: dict[str, Any]) -> None:
    with pytest.raises(BOTOCORE_ERRORS[vector["expect"]]):
        Decoder().feed(b64decode(vector["encoded_base64"]))


# --------------------------------------------------------------------------------- Smithy's protocol tests


@each(vectors("smithy-protocol-tests/restJson1_event_stream.json"), key="id")
def test_smithy_protocol_tests(vector: dict[str, Any]) -> None:
    (expected,) = vector["decoded"]
    headers = tuple(
        (name, value_of(kind, b64decode(plain["base64"]) if isinstance(plain, dict) else plain))
        for name, kind, plain in expected["headers"]
    )
    holds_both_ways(
        b64decode(vector["bytes_base64"]), Message(headers, b64decode(expected["payload_base64"]))
    )
