"""The heads that the lane reads: the ordinary ones, and no others."""

import pytest
from converse_emulator.http.head import LARGEST_BODY, read_head

HOST, LENGTH = b"Host: 127.0.0.1\r\n", b"Content-Length: 2\r\n"


def head(*lines: bytes, first: bytes = b"POST /model/m/converse?a=1 HTTP/1.1\r\n") -> bytes:
    return b"".join([first, *lines, b"\r\n"])


def test_an_ordinary_head_is_read() -> None:
    found = read_head(head(HOST, b"X-Some:\t two words \r\n", LENGTH, b"x-empty:\r\n"))
    assert found is not None
    assert (found.path, found.query, found.length, found.closes) == (b"/model/m/converse", b"a=1", 2, False)
    assert found.headers.pairs() == [
        (b"host", b"127.0.0.1"),
        (b"x-some", b"two words"),
        (b"content-length", b"2"),
        (b"x-empty", b""),
    ]


def test_a_client_may_want_to_close() -> None:
    found = read_head(head(HOST, LENGTH, b"Connection: Close\r\n"))
    assert found is not None
    assert found.closes


@pytest.mark.parametrize(
    "raw",
    [
        head(HOST, LENGTH, first=b"GET / HTTP/1.1\r\n"),
        head(HOST, LENGTH, first=b"POST / HTTP/1.0\r\n"),
        head(HOST, LENGTH, first=b"POST http://x/ HTTP/1.1\r\n"),
        head(HOST, LENGTH, first=b"POST /a b HTTP/1.1\r\n"),
        head(HOST, LENGTH, first=b"POST / HTTP/1.1\n"),
        head(HOST),
        head(LENGTH),
        head(HOST, HOST, LENGTH),
        head(HOST, LENGTH, LENGTH),
        head(HOST, b"Content-Length: +2\r\n"),
        head(HOST, b"Content-Length: %d\r\n" % (LARGEST_BODY + 1)),
        head(HOST, LENGTH, b"Transfer-Encoding: chunked\r\n"),
        head(HOST, LENGTH, b"Expect: 100-continue\r\n"),
        head(HOST, LENGTH, b"Upgrade: h2c\r\n"),
        head(HOST, LENGTH, b"X-Some : x\r\n"),
        head(HOST, LENGTH, b"X-Some: a\r\n b\r\n"),
        head(HOST, LENGTH, b"X-Some: a\nX-Other: b\r\n"),
        head(HOST, LENGTH, b"X-Some: \0\r\n"),
        head(HOST, LENGTH, b"nonsense\r\n"),
        b"POST / HTTP/1.1\r\n\r\n",
    ],
)
def test_whatever_is_unusual_is_not(raw: bytes) -> None:
    assert read_head(raw) is None
