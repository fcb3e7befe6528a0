"""The head of a request, as all that answers it knows it.

In the lane it is read by one pattern, or not at all. What is in any way unusual is left to a real parser:
that is how this one can be short.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from converse_emulator.http.headers import Headers

LARGEST_BODY = 1_048_576

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEAD = re.compile(rb"POST (/[!-~]*) HTTP/1\.1((?:\r\n" + _TOKEN + rb":[\t -~\x80-\xff]*)+\r\n)\r\n")
_TELLING = re.compile(rb"\r\n(host|connection|transfer-encoding|expect|upgrade):")
# With these a body may have another length than it says, or the connection another future.
_UNUSUAL = frozenset({b"transfer-encoding", b"expect", b"upgrade"})


class RequestHead(NamedTuple):
    """Method, target and headers of a request, whatever the version of HTTP."""

    method: str
    path: bytes  # percent-encoded, as it came
    query: bytes
    headers: Headers
    http_version: str = "1.1"
    # Where the lane has read it:
    length: int = 0  # of the body
    closes: bool = False  # the client wants no further response on the connection

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> "RequestHead":
        """From what ASGI has."""
        headers = Headers.of(scope["headers"])
        return cls(scope["method"], scope["raw_path"], scope["query_string"], headers, scope["http_version"])


def read_head(raw: bytes) -> RequestHead | None:
    """The head that these bytes are, up to the blank line; None if they are not for the lane."""
    found = _HEAD.fullmatch(raw)
    if found is None:
        return None
    path, _, query = found[1].partition(b"?")
    headers = Headers(found[2])
    telling = headers.names(_TELLING)
    length = headers.get("content-length", "")
    if (
        not length.isdecimal()
        or int(length) > LARGEST_BODY
        or telling.count(b"host") != 1
        or not _UNUSUAL.isdisjoint(telling)
    ):
        return None
    closes = b"connection" in telling and "close" in headers.get("connection", "").lower()
    return RequestHead("POST", path, query, headers, "1.1", int(length), closes)
