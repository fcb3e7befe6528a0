"""What proxies do to headers: take those off that belong to one connection, and say who asked."""

from collections.abc import Iterable

from converse_hops.http.link import Headers, header

OF_ONE_CONNECTION = frozenset(  # RFC 9110, section 7.6.1; and Expect, which a proxy answers itself
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def passed_on(headers: Headers, dropped: Iterable[str] = ()) -> list[tuple[str, str]]:
    """The headers that go on to the next connection, without the dropped ones (in lower case)."""
    named = {name.strip().lower() for name in (header(headers, "Connection") or "").split(",")}
    kept_back = OF_ONE_CONNECTION | named | set(dropped)
    return [(name, value) for name, value in headers if name.lower() not in kept_back]


def of_request(headers: Headers) -> list[tuple[str, str]]:
    """The same for a request, whose body keeps its framing."""
    chunked = "chunked" in (header(headers, "Transfer-Encoding") or "").lower()
    return [*passed_on(headers), *([("Transfer-Encoding", "chunked")] if chunked else [])]


def appended(headers: list[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    """With this value at the end of a list that one header holds, as X-Forwarded-For does."""
    before = header(headers, name)
    return replaced(headers, name, f"{before}, {value}" if before else value)


def replaced(headers: list[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    """With this header, and none of the same name besides."""
    return [*(each for each in headers if each[0].lower() != name.lower()), (name, value)]
