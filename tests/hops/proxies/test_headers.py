"""What proxies do to headers."""

import pytest
from converse_hops.proxies.headers import appended, of_request, passed_on, replaced


def test_headers_of_one_connection_stay_there() -> None:
    headers = (
        ("Host", "x"),
        ("Connection", "keep-alive, X-Mine"),
        ("Keep-Alive", "timeout=5"),
        ("X-Mine", "1"),
        ("TE", "trailers"),
        ("Upgrade", "h2c"),
        ("Transfer-Encoding", "chunked"),
        ("Last-Event-ID", "a-1"),
        ("Set-Cookie", "a"),
        ("set-cookie", "b"),
    )
    kept = [("Host", "x"), ("Last-Event-ID", "a-1"), ("Set-Cookie", "a"), ("set-cookie", "b")]
    assert passed_on(headers) == kept
    assert of_request(headers) == [*kept, ("Transfer-Encoding", "chunked")]
    assert passed_on(headers, dropped={"set-cookie"}) == kept[:2]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [("X-Forwarded-For", "10.0.0.1")]),
        ([("x-forwarded-for", "1.2.3.4")], [("X-Forwarded-For", "1.2.3.4, 10.0.0.1")]),
        ([("A", "b")], [("A", "b"), ("X-Forwarded-For", "10.0.0.1")]),
    ],
)
def test_a_list_is_appended_to(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> None:
    assert appended(before, "X-Forwarded-For", "10.0.0.1") == after


def test_a_value_is_replaced_in_whatever_case() -> None:
    headers = [("x-a", "1"), ("B", "2"), ("X-A", "3")]
    assert replaced(headers, "X-A", "4") == [("B", "2"), ("X-A", "4")]
