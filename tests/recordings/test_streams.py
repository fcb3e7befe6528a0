"""Recorded streams of real Bedrock against our codec and our frames: the recordings are the judge.

They lie beside the repository and are no part of it; without them these tests are skipped, and what they
show is tested on self-made frames in `tests/fixtures/test_golden.py`.
"""

import csv
import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from converse_emulator.framing.eventstream import Decoder, Message, encode
from converse_emulator.framing.frames import PADDING, event_frame, exception_frame

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
# Streams that no Bedrock sent, although their sidecars do not all say so.
FAKES = (
    "should-handle-converse-stream-reasoning-content",
    "testconversestreamtoolcallwithemptytoolarguments",
)


@dataclass(frozen=True, slots=True)
class Stream:
    """A recorded response body."""

    data: bytes
    operation: str
    real: bool


def recorded() -> dict[str, Stream]:
    """All recorded streams by name; none if there are no recordings."""
    index = RECORDINGS / "INDEX.tsv"
    if not index.exists():
        return {}
    with index.open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return {
        row["file"]: Stream(
            (RECORDINGS / f"{row['file']}.bin").read_bytes(),
            row["operation"],
            row["note"] != "SYNTHETIC" and not any(fake in row["file"].lower() for fake in FAKES),
        )
        for row in rows
    }


STREAMS = recorded()
pytestmark = pytest.mark.skipif(not STREAMS, reason=f"no recordings in {RECORDINGS}")


def each_stream(*, operation: str = "", real: bool = False) -> pytest.MarkDecorator:
    """One test a stream: all, or those of one operation, or those that Bedrock really sent."""
    chosen = {
        name: stream
        for name, stream in STREAMS.items()
        if operation in ("", stream.operation) and (stream.real or not real)
    }
    return pytest.mark.parametrize("stream", chosen.values(), ids=chosen)


each = each_stream()
each_real = each_stream(real=True, operation="converse-stream")


@cache
def messages(stream: Stream) -> tuple[Message, ...]:
    return tuple(Decoder().feed(stream.data))


def events(stream: Stream) -> list[tuple[str, dict[str, Any]]]:
    """Type and payload of each event; exceptions are left out."""
    return [
        (str(message.header(":event-type")), json.loads(message.payload))
        for message in messages(stream)
        if message.header(":message-type") == "event"
    ]


def named(stream: Stream, event_type: str) -> list[dict[str, Any]]:
    return [body for kind, body in events(stream) if kind == event_type]


@each
def test_it_decodes_to_its_last_byte(stream: Stream) -> None:
    decoder = Decoder()
    assert decoder.feed(stream.data)
    assert (decoder.pending, decoder.offset) == (0, len(stream.data))


@each
def test_the_decoded_messages_encode_to_the_same_bytes(stream: Stream) -> None:
    assert b"".join(map(encode, messages(stream))) == stream.data


@each
def test_the_events_with_the_same_padding_lengths_make_the_same_bytes(stream: Stream) -> None:
    assert b"".join(map(framed_again, messages(stream))) == stream.data


def framed_again(message: Message) -> bytes:
    """Our frame for the event or exception of `message`."""
    body = json.loads(message.payload)
    if message.header(":message-type") == "exception":
        return exception_frame(str(message.header(":exception-type")), body["message"])
    padding = body.pop("p", None)
    return event_frame(str(message.header(":event-type")), body, None if padding is None else len(padding))


@each
def test_three_string_headers_in_this_order(stream: Stream) -> None:
    for message in messages(stream):
        names, values = zip(*message.headers, strict=True)
        if values[2] == "event":
            assert names == (":event-type", ":content-type", ":message-type")
        else:
            assert names == (":exception-type", ":content-type", ":message-type")
            assert values[2] == "exception"
        assert values[1] == "application/json"
        assert all(isinstance(value, str) for value in values)


@each_stream(real=True)
def test_padding_is_a_prefix_of_the_alphabet_of_2_to_61_characters(stream: Stream) -> None:
    for _, body in events(stream):
        if "p" in body:
            assert PADDING.startswith(body["p"])
            assert 2 <= len(body["p"]) <= 61


def test_every_length_of_padding_occurs_about_equally_often() -> None:
    lengths = Counter(
        len(body["p"])
        for stream in STREAMS.values()
        if stream.real
        for _, body in events(stream)
        if "p" in body
    )
    assert sorted(lengths) == list(range(2, 62))
    expected = lengths.total() / 60
    chi_squared = sum((seen - expected) ** 2 / expected for seen in lengths.values())
    assert chi_squared < 111  # 59 degrees of freedom: above that with a chance of 1 in 20,000


@each_real
def test_every_event_is_padded_and_no_exception(stream: Stream) -> None:
    for message in messages(stream):
        body = json.loads(message.payload)
        if message.header(":message-type") == "event":
            assert "p" in body
        else:
            assert list(body) == ["message"]


@each_real
def test_members_are_sorted(stream: Stream) -> None:
    for _, body in events(stream):
        assert list(body) == sorted(body)


@each_real
def test_a_message_starts_stops_and_ends_with_its_usage(stream: Stream) -> None:
    kinds = [kind for kind, _ in events(stream)]
    last = messages(stream)[-1]
    if last.header(":message-type") == "exception":
        assert "messageStop" not in kinds
        assert "metadata" not in kinds
    else:
        assert kinds[0] == "messageStart"
        assert kinds[-2:] == ["messageStop", "metadata"]
        assert max(Counter(kinds)[once] for once in ("messageStart", "messageStop", "metadata")) == 1


@each_real
def test_blocks_are_numbered_from_0_stopped_and_never_interleaved(stream: Stream) -> None:
    indices = [body["contentBlockIndex"] for _, body in events(stream) if "contentBlockIndex" in body]
    assert all(after in (before, before + 1) for before, after in pairwise([0, *indices]))
    stops = [body["contentBlockIndex"] for body in named(stream, "contentBlockStop")]
    broken = messages(stream)[-1].header(":message-type") == "exception"
    assert stops == ([] if broken else sorted(set(indices)))


@each_real
def test_only_tool_blocks_have_a_start(stream: Stream) -> None:
    started = {body["contentBlockIndex"]: set(body["start"]) for body in named(stream, "contentBlockStart")}
    assert all(kinds <= {"toolUse", "toolResult"} for kinds in started.values())
    for body in named(stream, "contentBlockDelta"):
        (kind,) = body["delta"]
        assert (kind in {"toolUse", "toolResult"}) == (body["contentBlockIndex"] in started)
