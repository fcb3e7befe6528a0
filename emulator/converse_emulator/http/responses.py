"""HTTP responses as the service writes them: order and case of headers, JSON, dates.

Date · Content-Type · Content-Length or Transfer-Encoding · Connection · x-amzn-RequestId · x-amzn-ErrorType
"""

import json
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from converse_emulator.http.refusals import refusal
from converse_emulator.language.scenario import Json
from converse_emulator.playing.acts import Head, HttpHeaders

JSON = "application/json"
EVENT_STREAM = "application/vnd.amazon.eventstream"

# Members that are free-form documents and keep their own order of keys (as strings they have none).
DOCUMENTS = frozenset({"additionalModelResponseFields", "input", "json"})

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Response(NamedTuple):
    """A response with its whole body."""

    status: int
    headers: HttpHeaders
    body: bytes

    @property
    def head(self) -> Head:
        return Head(self.status, self.headers)


def error_response(
    name: str,
    *,
    message: str | None = None,
    status: int | None = None,
    headers: Iterable[tuple[str, str]] = (),
    request_id: str,
    date: str,
) -> Response:
    """The error `name` (see `refusals`); what is given replaces its text and status.

    `headers` replace those of the same name where they stand, and come last otherwise.
    """
    error = refusal(name, status)
    body = compact_json({error.key: error.text if message is None else message})
    own = (*_head(date, JSON, len(body), request_id), ("x-amzn-ErrorType", error.error_type))
    return Response(status or error.status, with_headers(own, headers), body)


def json_response(body: Json, *, request_id: str, date: str) -> Response:
    """200 with a JSON body."""
    return body_response(canonical_json(body), request_id=request_id, date=date)


def body_response(content: bytes, headers: HttpHeaders = (), *, request_id: str, date: str) -> Response:
    """200 with a body that is JSON already; `headers` come last."""
    return Response(200, (*_head(date, JSON, len(content), request_id), *headers), content)


def stream_headers(request_id: str, date: str) -> HttpHeaders:
    """The headers of a streamed response."""
    return _head(date, EVENT_STREAM, None, request_id)


def http_date(epoch: float) -> str:
    """`Fri, 21 Mar 2025 02:04:20 GMT`, whatever the locale."""
    return _date_of(int(epoch // 1))


@lru_cache(maxsize=16)
def _date_of(second: int) -> str:
    at = time.gmtime(second)
    return (
        f"{_DAYS[at.tm_wday]}, {at.tm_mday:02} {_MONTHS[at.tm_mon - 1]} {at.tm_year} "
        f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT"
    )


def compact_json(value: Json) -> bytes:
    """JSON without spaces, in UTF-8 without escapes. Half a surrogate pair, no UTF-8, becomes `?`."""
    return _encode(value).encode("utf-8", "replace")


def canonical_json(value: Json) -> bytes:
    """`compact_json` with the keys sorted at every level, except inside free-form documents."""
    return compact_json(_sorted(value))


def _sorted(value: Json) -> Json:
    match value:
        case dict():
            return {key: value[key] if key in DOCUMENTS else _sorted(value[key]) for key in sorted(value)}
        case list():
            return [_sorted(item) for item in value]
        case _:
            return value


def _head(date: str, content_type: str, length: int | None, request_id: str) -> HttpHeaders:
    return (
        ("Date", date),
        ("Content-Type", content_type),
        ("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length)),
        ("Connection", "keep-alive"),
        ("x-amzn-RequestId", request_id),
    )


def with_headers(own: HttpHeaders, given: Iterable[tuple[str, str]]) -> HttpHeaders:
    """Headers that are given, where those of the same name stand; others come last."""
    by_name = {name.lower(): (name, value) for name, value in given}
    replaced = tuple(by_name.pop(name.lower(), (name, value)) for name, value in own)
    return (*replaced, *by_name.values())
