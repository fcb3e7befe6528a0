"""The event-stream parser, against the standard's own examples, and cut everywhere."""

from collections.abc import Iterable
from itertools import accumulate, pairwise

import pytest
from converse_contract.sse import Comment, Decoder, Message, Retry, SseEvent
from hypothesis import given, settings
from hypothesis import strategies as st


def parse(*pieces: bytes) -> list[SseEvent]:
    decoder = Decoder()
    return [event for piece in pieces for event in decoder.feed(piece)]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


# Each is a stream, what a browser makes of it, and why. The first four are the standard's examples.
VECTORS = [
    pytest.param(
        b"data: YHOO\ndata: +2\ndata: 10\n\n", [Message("YHOO\n+2\n10")], id="data lines are joined"
    ),
    pytest.param(
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [
            Comment("test stream"),
            Message("first event", id="1", last_event_id="1"),
            Message("second event", id="", last_event_id=""),
            Message(" third event", last_event_id=""),
        ],
        id="comment, ids, one space is dropped",
    ),
    pytest.param(
        b"data\n\ndata\ndata\n\ndata:", [Message(""), Message("\n")], id="unfinished is never dispatched"
    ),
    pytest.param(b"data:test\n\ndata: test\n\n", [Message("test"), Message("test")], id="space is optional"),
    pytest.param("\ufeffdata: x\n\n".encode(), [Message("x")], id="one byte order mark is dropped"),
    pytest.param("\ufeff\ufeffdata: x\n\n".encode(), [], id="the second one belongs to a field's name"),
    pytest.param(
        b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", [Message("a"), Message("b"), Message("c")], id="line ends"
    ),
    pytest.param(b"data: a\r\n\ndata: b\n\r\n", [Message("a"), Message("b")], id="line ends mixed"),
    pytest.param(
        b"event: ping\ndata: x\n\ndata: y\n\n", [Message("x", "ping"), Message("y")], id="event type"
    ),
    pytest.param(b"event:\ndata: x\n\n", [Message("x")], id="empty event type is message"),
    pytest.param(b"event: ping\n\ndata: y\n\n", [Message("y")], id="no data, no event"),
    pytest.param(
        b"id: 1\n\ndata: x\n\n", [Message("x", id=None, last_event_id="1")], id="the last id persists"
    ),
    pytest.param(b"id: a\0b\ndata: x\n\n", [Message("x")], id="an id with NUL is ignored"),
    pytest.param(b"retry: 3000\nretry: 3s\nretry:\n\n", [Retry(3000)], id="retry is digits"),
    pytest.param("retry: ٣\n\n".encode(), [], id="retry is ASCII digits"),
    pytest.param(b"nonsense: x\nDATA: y\ndata : z\n\n", [], id="unknown fields are ignored"),
    pytest.param(
        b":\n: ping\n:ping\n", [Comment(""), Comment("ping"), Comment("ping")], id="comments come at once"
    ),
    pytest.param(b"data: caf\xc3\xa9 \xff\n\n", [Message("café \ufffd")], id="bad UTF-8 is replaced"),
    pytest.param(
        "data: a\u2028b\u0085c\x0bd\n\n".encode(), [Message("a\u2028b\u0085c\x0bd")], id="no other line ends"
    ),
    pytest.param(b"", [], id="nothing"),
]


@pytest.mark.parametrize(("stream", "events"), VECTORS)
def test_a_stream_is_read_as_the_standard_says(stream: bytes, events: list[SseEvent]) -> None:
    assert parse(stream) == events


@pytest.mark.parametrize(("stream", "events"), VECTORS)
def test_byte_by_byte_it_is_the_same(stream: bytes, events: list[SseEvent]) -> None:
    assert parse(*(stream[n : n + 1] for n in range(len(stream)))) == events


PARTS = st.sampled_from(
    [
        b"data",
        b"id",
        b"event",
        b"retry",
        b":",
        b" ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"7",
        b"x",
        "é🌍\ufeff".encode(),
    ]
)
STREAMS = st.lists(st.one_of(PARTS, st.binary(max_size=3)), max_size=40).map(b"".join)


@settings(deadline=None)
@given(STREAMS, st.lists(st.integers(min_value=0), max_size=8))
def test_the_cuts_do_not_matter(stream: bytes, places: list[int]) -> None:
    pieces = cut(stream, places)
    assert b"".join(pieces) == stream
    assert parse(*pieces) == parse(stream)


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")), max_size=6))
def test_what_was_written_is_read(texts: list[str]) -> None:
    stream = "".join(f"id: {n}\ndata: {text}\n\n" for n, text in enumerate(texts))
    read = [(event.data, event.id) for event in parse(stream.encode()) if isinstance(event, Message)]
    assert read == [(text, str(n)) for n, text in enumerate(texts)]


def test_an_event_is_told_as_soon_as_its_blank_line_is_there() -> None:
    decoder = Decoder()
    told = [len(decoder.feed(bytes([byte]))) for byte in b"data: a\n\ndata: b\r\n\r\n"]
    assert list(accumulate(told))[8] == 1
    assert list(accumulate(told))[-2:] == [
        2,
        2,
    ]  # the last line feed belongs to the carriage return before it


def test_unfinished_tells_what_no_blank_line_ended() -> None:
    decoder = Decoder()
    decoder.feed(b"data: a\n\n: comment\n")
    assert decoder.unfinished == ""
    decoder.feed(b"id: 4\nda")
    assert decoder.unfinished == "id: 4\nda"
