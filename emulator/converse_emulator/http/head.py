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


class RequestHead(NamedTuple):
    """Method, target and headers of a request, whatever the version of HTTP."""

    method: str
    path: bytes  # percent-encoded, as it came
    query: bytes
    headers: Headers
    http_version: str = "1.1"
    length: int = 0  # of the body, where the lane has read the head

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> "RequestHead":
        """From what ASGI has."""
        headers = Headers.of(scope["headers"])
        return cls(scope["method"], scope["raw_path"], scope["query_string"], headers, scope["http_version"])

    @property
    def closes(self) -> bool:
        """Whether the client wants no further response on the connection."""
        return "close" in self.headers.get("connection", "").lower()


def read_head(raw: bytes) -> RequestHead | None:
    """The head that these bytes are, up to the blank line; None if they are not for the lane."""
    found = _HEAD.fullmatch(raw)
    if found is None:
        return None
    path, _, query = found[1].partition(b"?")
    headers = Headers(found[2])
    length = headers.get("content-length", "")
    if (
        not length.isdecimal()
        or int(length) > LARGEST_BODY
        or headers.count("host") != 1
        # With these a body may have another length than it says, or the connection another future.
        or "transfer-encoding" in headers
        or "expect" in headers
        or "upgrade" in headers
    ):
        return None
    return RequestHead("POST", path, query, headers, "1.1", int(length))
