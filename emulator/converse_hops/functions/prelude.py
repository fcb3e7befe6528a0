"""What a streaming function says before its payload: JSON metadata, then exactly eight NULs.

    {"statusCode":200,"headers":{"content-type":"text/event-stream"},"cookies":["a=b"]} 00 00 00 00 …

The delimiter lies within the first 16 KB of the stream. JSON has no NUL of its own, so the first one begins
the delimiter. Source: API Gateway's documentation of response streaming, and the Node.js runtime client.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from converse_hops.http.link import Headers

DELIMITER = bytes(8)
MOST_PRELUDE = 16_384  # bytes, the delimiter included
CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"  # of a response that has a prelude
MEMBERS = frozenset({"statusCode", "headers", "multiValueHeaders", "cookies"})


class PreludeError(ValueError):
    """No valid metadata and delimiter where they should be."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The response's head, as the function wants it. `headers` has several rows for several values."""

    status: int = 200
    headers: Headers = ()
    cookies: tuple[str, ...] = ()


class Splitter:
    """Takes metadata and payload apart, fed in any cuts."""

    def __init__(self) -> None:
        self._head = bytearray()
        self.metadata: bytes | None = None  # once the delimiter is complete

    def feed(self, data: bytes) -> bytes:
        """The payload in `data`; raises `PreludeError` as soon as there can be no delimiter any more."""
        if self.metadata is not None:
            return data
        head = self._head
        head += data
        at = head.find(0)
        if (at if at >= 0 else len(head)) + len(DELIMITER) > MOST_PRELUDE:
            raise PreludeError(f"no eight NULs within the first {MOST_PRELUDE} bytes")
        if at < 0:
            return b""
        found = bytes(head[at : at + len(DELIMITER)])
        if found.strip(b"\0"):
            raise PreludeError(f"fewer than eight NULs after {at} bytes")
        if len(found) < len(DELIMITER):
            return b""
        self.metadata = bytes(head[:at])
        return bytes(head[at + len(DELIMITER) :])

    def end(self) -> None:
        """The stream is over: raises `PreludeError` if the delimiter has not come."""
        if self.metadata is None:
            raise PreludeError(f"the stream ended after {len(self._head)} bytes without eight NULs")


def split_whole(body: bytes) -> tuple[Metadata, bytes]:
    """Metadata and payload of a whole response; raises `PreludeError`."""
    splitter = Splitter()
    payload = splitter.feed(body)
    splitter.end()
    return parse_metadata(splitter.metadata or b""), payload


def parse_metadata(raw: bytes) -> Metadata:
    """The metadata of a prelude; raises `PreludeError` for what is none."""
    try:
        told = json.loads(raw)
    except ValueError as error:
        raise PreludeError(f"the metadata is no JSON: {error}") from error
    if not isinstance(told, dict):
        raise PreludeError(f"the metadata is no object but {type(told).__name__}")
    if strangers := sorted(told.keys() - MEMBERS):
        raise PreludeError(
            f"the metadata has {', '.join(strangers)}; it may have {', '.join(sorted(MEMBERS))}"
        )
    return metadata_of(told)


def metadata_of(told: Mapping[str, object]) -> Metadata:
    """Status, headers and cookies of a JSON object, whatever else it has; raises `PreludeError`.

    A name in both `headers` and `multiValueHeaders` has the latter's values only.
    """
    status = told.get("statusCode", 200)
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise PreludeError(f"statusCode is {status!r}, not a number from 100 to 599")
    single = _object(told, "headers")
    several = _object(told, "multiValueHeaders")
    rows = [(name, [value]) for name, value in single.items() if name.lower() not in map(str.lower, several)]
    for name, values in several.items():
        if not isinstance(values, list):
            raise PreludeError(f"multiValueHeaders.{name} is no list")
        rows.append((name, values))
    for name, _ in rows:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise PreludeError(f"{name!r} is no name of a header")
    headers = tuple((name, _text(name, value)) for name, values in rows for value in values)
    cookies = told.get("cookies") or []
    if not isinstance(cookies, list):
        raise PreludeError("cookies is no list")
    return Metadata(status, headers, tuple(_text("cookies", cookie) for cookie in cookies))


def _object(told: Mapping[str, object], name: str) -> dict[str, object]:
    found = told.get(name) or {}
    if not isinstance(found, dict):
        raise PreludeError(f"{name} is no object")
    return found


def _text(name: str, value: object) -> str:
    """The value of a header: strings as they are, numbers and booleans as JSON writes them."""
    if isinstance(value, str):
        if not re.fullmatch(r"[\t -~\x80-\xff]*", value):
            raise PreludeError(f"the value of {name} has characters that no header may have")
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise PreludeError(f"the value of {name} is {type(value).__name__}, not a string")
