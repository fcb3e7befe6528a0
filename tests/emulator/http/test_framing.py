"""Responses as bytes: what zttp makes of the same calls."""

import pytest
import zttp
from converse_emulator.http.framing import Framing, Headers, whole_response
from hypothesis import given
from hypothesis import strategies as st

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("status", [200, 400, 429, 503])
@pytest.mark.parametrize(
    "headers", [[(b"Date", b"now"), (b"Transfer-Encoding", b"chunked")], [(b"Content-Length", b"5")]]
)
def test_it_is_what_zttp_makes(status: int, headers: Headers) -> None:
    theirs, ours = zttp.Connection(zttp.SERVER), Framing(closes=False)
    theirs.receive_event(REQUEST)
    for framing in (theirs, ours):
        framing.send_response(status, headers)
        framing.send_data(b"abc")
        framing.send_data(b"de")
        framing.end_message()
    assert ours.data_to_send() == theirs.data_to_send()
    assert ours.data_to_send() == b""
    assert not ours.closes


def test_a_response_without_a_length_is_chunked() -> None:
    framing = Framing(closes=False)
    framing.send_response(200, [])
    framing.send_data(b"abc")
    assert framing.data_to_send() == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"


@pytest.mark.parametrize("status", [204, 304])
def test_some_have_no_body(status: int) -> None:
    framing = Framing(closes=False)
    framing.send_response(status, [])
    framing.send_data(b"abc")
    framing.end_message()
    assert framing.data_to_send().endswith(b"\r\n\r\n")
    assert b"abc" not in framing.data_to_send()


def test_interim_responses_come_first() -> None:
    framing = Framing(closes=False)
    framing.send_informational(103, [(b"Link", b"x")])
    assert framing.data_to_send() == b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"


def test_a_response_may_close_the_connection() -> None:
    framing = Framing(closes=False)
    framing.send_response(200, [(b"Connection", b"close"), (b"Content-Length", b"0")])
    assert framing.closes


@given(
    st.sampled_from([200, 204, 304, 429]),
    st.sampled_from([("Transfer-Encoding", "chunked"), ("content-length", None)]),
    st.sampled_from([("Connection", "keep-alive"), ("connection", "Close"), ("X-A", "é")]),
    st.binary(max_size=300),
)
def test_at_once_it_is_the_same(
    status: int, length: tuple[str, str | None], other: tuple[str, str], body: bytes
) -> None:
    headers = [other, (length[0], length[1] or str(len(body)))]
    framing = Framing(closes=False)
    framing.send_response(status, [(name.encode(), value.encode("latin-1")) for name, value in headers])
    if body:
        framing.send_data(body)
    framing.end_message()
    assert whole_response(status, headers, body) == (framing.data_to_send(), framing.closes)
