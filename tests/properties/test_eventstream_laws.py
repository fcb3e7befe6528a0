"""Laws of the codec: decoding undoes encoding, however the bytes are cut, and no flipped bit goes unseen."""

import string
import struct
from datetime import UTC, datetime, timedelta
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from converse_emulator.framing.eventstream import (
    Decoder,
    FrameError,
    HeaderError,
    HeaderValue,
    Message,
    encode,
    encode_headers,
)
from converse_emulator.framing.header_values import Byte, Int, Long, Short
from hypothesis import given, settings
from hypothesis import strategies as st

unhurried = settings(deadline=None)  # a busy machine is no failure


def integers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


NAMES = st.text(min_size=1, max_size=20)
# What botocore gives back as it is. It reads empty values, timestamps and UUIDs in ways of its own.
PLAIN: st.SearchStrategy[HeaderValue] = st.one_of(
    st.booleans(),
    st.builds(Byte, integers(8)),
    st.builds(Short, integers(16)),
    st.builds(Int, integers(32)),
    st.builds(Long, integers(64)),
    st.binary(min_size=1, max_size=40),
    st.text(min_size=1, max_size=20),
)
VALUES: st.SearchStrategy[HeaderValue] = st.one_of(
    PLAIN,
    st.just(b""),
    st.just(""),
    st.uuids(),
    st.integers(-(10**13), 10**14).map(
        lambda milliseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    ),
)
# Header blocks, many of them nearly right: whole headers with a few bytes of anything between them.
BLOCKS = st.lists(
    st.one_of(st.tuples(NAMES, VALUES).map(lambda header: encode_headers((header,))), st.binary(max_size=6)),
    max_size=4,
).map(b"".join)


def messages(
    values: st.SearchStrategy[HeaderValue] = VALUES, names: st.SearchStrategy[str] = NAMES
) -> st.SearchStrategy[Message]:
    headers = st.dictionaries(names, values, max_size=5).map(lambda found: tuple(found.items()))
    return st.builds(Message, headers, st.binary(max_size=200))


@unhurried
@given(messages())
def test_decoding_undoes_encoding(message: Message) -> None:
    data = encode(message)
    decoder = Decoder()
    assert decoder.feed(data) == [message]
    assert (decoder.pending, decoder.offset) == (0, len(data))


@unhurried
@given(st.lists(messages(), max_size=4), st.data())
def test_any_cuts_decode_alike(sent: list[Message], data: st.DataObject) -> None:
    stream = b"".join(map(encode, sent))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    decoder = Decoder()
    got: list[Message] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += decoder.feed(stream[begin:end])
        assert decoder.offset + decoder.pending == end
    assert got == sent
    assert decoder.pending == 0


@unhurried
@given(messages(), st.data())
def test_a_part_of_a_message_is_never_a_message(message: Message, data: st.DataObject) -> None:
    frame = encode(message)
    length = data.draw(st.integers(0, len(frame) - 1))
    decoder = Decoder()
    assert decoder.feed(frame[:length]) == []
    assert decoder.pending == length


@unhurried
@given(messages(), st.data())
def test_a_flipped_bit_is_always_an_error(message: Message, data: st.DataObject) -> None:
    frame = bytearray(encode(message))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FrameError):
        Decoder().feed(bytes(frame))


@unhurried
@given(BLOCKS)
def test_any_header_block_is_read_and_written_alike_or_is_an_error(block: bytes) -> None:
    frame = sealed(struct.pack(">II", 16 + len(block), len(block)), block)
    try:
        (message,) = Decoder().feed(frame)
    except HeaderError:
        return
    assert encode(message) == frame


def sealed(lengths: bytes, block: bytes) -> bytes:
    """A frame with correct checksums, whatever its headers."""
    prelude = lengths + struct.pack(">I", crc32(lengths))
    return prelude + block + struct.pack(">I", crc32(prelude + block))


@unhurried
@given(messages(PLAIN, st.text(string.ascii_letters + ":-", min_size=1, max_size=20)))
def test_botocore_reads_what_we_encode(message: Message) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(encode(message))
    (read,) = buffer
    assert read.payload == message.payload
    assert read.headers == {
        name: value.value if isinstance(value, Byte | Short | Int | Long) else value
        for name, value in message.headers
    }
