"""The head of a request in the lane: read by one pattern, or not at all.

What is in any way unusual is left to a real parser: that is how this one can be short.
"""

import re
from dataclasses import dataclass

LARGEST_BODY = 1_048_576

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEAD = re.compile(rb"POST (/[!-~]*) HTTP/1\.1\r\n((?:" + _TOKEN + rb":[\t -~\x80-\xff]*\r\n)+)\r\n")
_FIELD = re.compile(rb"([^:]+):[ \t]*([^\r]*?)[ \t]*\r\n")
# With these a body may have another length than it says, or the connection another future.
_UNUSUAL = frozenset({b"expect", b"transfer-encoding", b"upgrade"})


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The head of a POST over HTTP/1.1."""

    path: bytes  # percent-encoded, as it came
    query: bytes
    headers: list[tuple[bytes, bytes]]  # names in lower case
    length: int  # of the body
    closes: bool  # the client wants no further response on the connection


def read_head(raw: bytes) -> RequestHead | None:
    """The head that these bytes are, up to the blank line; None if they are not for the lane."""
    found = _HEAD.fullmatch(raw)
    if found is None:
        return None
    path, _, query = found[1].partition(b"?")
    headers = [(name.lower(), value) for name, value in _FIELD.findall(found[2])]
    named = dict(headers)
    length = named.get(b"content-length", b"")
    if (
        not length.isdigit()
        or int(length) > LARGEST_BODY
        or not _UNUSUAL.isdisjoint(named)
        or sum(name in (b"content-length", b"host") for name, _ in headers) != 2
        or b"host" not in named
    ):
        return None
    return RequestHead(path, query, headers, int(length), b"close" in named.get(b"connection", b"").lower())
