"""Requests as they come in: bodies in pieces, bounded, JSON objects only."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from converse_emulator.http import inbound
from converse_emulator.http.inbound import Body, NotJson, TooLarge, json_object, read_body
from converse_emulator.playing.wire import ClientLeft


def received(*messages: MutableMapping[str, Any], length: str = "") -> Body:
    coming = iter(messages)

    async def receive() -> MutableMapping[str, Any]:
        return next(coming)

    return asyncio.run(read_body(receive, {"content-length": length} if length else {}))


def piece(body: bytes, more: bool = False) -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_may_come_in_pieces() -> None:
    assert received(piece(b'{"a"', True), piece(b"", True), piece(b": 1}")) == Body(8, {"a": 1})


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    body = received(piece(rb'{"a\udC00": ["\ud800b", {"c": "\ud83d\ude00"}], "d": 1}'))
    assert body.content == {"a?": ["?b", {"c": "😀"}], "d": 1}
    assert isinstance(received(piece(b'{"a": "\xed\xa0\x80"}')).problem, NotJson)


def test_a_body_is_not_too_deep() -> None:
    deepest = b'{"a":' * inbound.DEEPEST + b"1" + b"}" * inbound.DEEPEST
    assert received(piece(deepest)).problem is None
    deeper = b'{"a": ' + deepest + b"}"
    assert "nested too deep" in str(received(piece(deeper)).problem)
    assert received(piece(b'{"a": [' + b"[]," * 500 + b"[]]}")).problem is None


def test_a_body_has_a_digest() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert received(piece(b"")).digest == empty
    assert received(piece(b"no JSON")).digest != empty


def test_a_client_that_leaves_is_no_body() -> None:
    with pytest.raises(ClientLeft):
        received(piece(b"{", True), {"type": "http.disconnect"})


def test_a_body_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "MOST_BYTES", 10)
    assert received(piece(b'{"a":   1}')).content == {"a": 1}
    assert isinstance(received(length="11").problem, TooLarge)
    assert isinstance(received(piece(b'{"a": ', True), piece(b"12345")).problem, TooLarge)
    assert received(piece(b"{}"), length="nonsense").content == {}


@pytest.mark.parametrize("empty", [b"", b" \n"])
def test_an_empty_body_is_an_empty_object(empty: bytes) -> None:
    assert json_object(empty) == {}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[]", "a JSON list"),
        (b"null", "a JSON NoneType"),
        (b'{"a": Infinity}', "Infinity is no JSON number"),
        (b"\xff\xfe", "not JSON"),
        (b'{"a":' * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_json_object_says_so(raw: bytes, says: str) -> None:
    with pytest.raises(NotJson, match=says):
        json_object(raw)
    assert isinstance(received(piece(raw)).problem, NotJson)
