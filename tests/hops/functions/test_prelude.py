"""Metadata, eight NULs, payload: found in any cuts, and nowhere else."""

import json
from itertools import pairwise

import pytest
from converse_hops.functions.prelude import (
    DELIMITER,
    MOST_PRELUDE,
    Metadata,
    PreludeError,
    Splitter,
    parse_metadata,
)
from hypothesis import given
from hypothesis import strategies as st

HEAD = b'{"statusCode":200,"headers":{"content-type":"text/event-stream"}}'


def split(pieces: list[bytes]) -> tuple[bytes | None, bytes]:
    splitter = Splitter()
    payload = b"".join(map(splitter.feed, pieces))
    splitter.end()
    return splitter.metadata, payload


@pytest.mark.parametrize("payload", [b"", b"data: 1\n\n", bytes(20), b"\0" + HEAD])
def test_every_cut_in_two_gives_the_same(payload: bytes) -> None:
    whole = HEAD + DELIMITER + payload
    for at in range(len(whole) + 1):
        assert split([whole[:at], whole[at:]]) == (HEAD, payload)
    assert split([bytes([byte]) for byte in whole]) == (HEAD, payload)


@given(st.data(), st.binary(max_size=40), st.dictionaries(st.text(max_size=3), st.text(max_size=3)))
def test_any_cuts_give_the_same(data: st.DataObject, payload: bytes, headers: dict[str, str]) -> None:
    head = json.dumps({"headers": headers}, ensure_ascii=data.draw(st.booleans())).encode()
    whole = head + DELIMITER + payload
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    pieces = [whole[start:end] for start, end in pairwise([0, *cuts, len(whole)])]
    assert split(pieces) == (head, payload)


@given(st.integers(1, 7), st.binary(min_size=1, max_size=5).filter(lambda rest: rest[0] != 0))
def test_fewer_than_eight_nuls_are_none(count: int, rest: bytes) -> None:
    with pytest.raises(PreludeError, match="fewer than eight NULs"):
        Splitter().feed(HEAD + bytes(count) + rest)


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_the_delimiter_lies_within_the_first_16_kb(size: int) -> None:
    def feed(head: int) -> bytes | None:
        whole = b" " * head + DELIMITER + b"x"
        splitter = Splitter()
        for at in range(0, len(whole), size):
            splitter.feed(whole[at : at + size])
        return splitter.metadata

    assert MOST_PRELUDE == 16384
    assert feed(MOST_PRELUDE - 8) == b" " * (MOST_PRELUDE - 8)
    with pytest.raises(PreludeError, match="no eight NULs within the first 16384 bytes"):
        feed(MOST_PRELUDE - 7)


def test_a_stream_that_ends_before_it_has_none() -> None:
    splitter = Splitter()
    splitter.feed(HEAD + bytes(7))
    with pytest.raises(PreludeError, match="the stream ended after 72 bytes"):
        splitter.end()


def test_metadata_is_read() -> None:
    told = (
        b'{"statusCode": 206, "headers": {"A": "1", "b": "2", "n": 3}, '
        b'"multiValueHeaders": {"B": ["x", "y"]}, "cookies": ["s=1; Path=/", "t=2"]}'
    )
    assert parse_metadata(told) == Metadata(
        206, (("A", "1"), ("n", "3"), ("B", "x"), ("B", "y")), ("s=1; Path=/", "t=2")
    )


def test_all_of_it_is_optional() -> None:
    assert parse_metadata(b"{}") == Metadata(200, (), ())
    assert parse_metadata(b'{"headers": null, "cookies": null}') == Metadata()


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (b"", "no JSON"),
        (b"data: 1", "no JSON"),
        (b"[]", "no object but list"),
        (
            b'{"body": "x"}',
            "has body; it may have cookies, headers, multiValueHeaders, statusCode",
        ),
        (b'{"statusCode": "200"}', "statusCode is '200'"),
        (b'{"statusCode": 99}', "statusCode is 99"),
        (b'{"statusCode": true}', "statusCode is True"),
        (b'{"headers": "x"}', "headers is no object"),
        (b'{"headers": {"a": []}}', "the value of a is list"),
        (b'{"headers": {"a b": "c"}}', "'a b' is no name of a header"),
        (b'{"headers": {"a": "b\\r\\nc: d"}}', "the value of a has characters"),
        ('{"headers": {"a": "→"}}'.encode(), "the value of a has characters"),
        (b'{"multiValueHeaders": {"a": "b"}}', "multiValueHeaders.a is no list"),
        (b'{"cookies": "a=b"}', "cookies is no list"),
    ],
)
def test_what_is_no_metadata_is_refused(told: bytes, why: str) -> None:
    with pytest.raises(PreludeError, match=why):
        parse_metadata(told)
