"""The heads of the fronts' responses, in the order and case in which they come."""

from email.utils import formatdate

from converse_hops.functions.prelude import Metadata
from converse_hops.http.link import Headers, header

OCTETS = "application/octet-stream"
JSON = "application/json"
# The front's own matter, whatever the function says.
_NOT_THE_FUNCTIONS = frozenset(
    {"connection", "content-length", "content-type", "date", "keep-alive", "trailer", "transfer-encoding"}
)


def compose(
    metadata: Metadata,
    *,
    default_type: str,
    length: int | None,
    ids: Headers,
    last: Headers,
    lower: bool,
) -> list[tuple[str, str]]:
    """Date, type, framing, connection, `ids`, cookies, the function's own headers, `last`.

    Without a `length` the function's Content-Length holds, else chunks. `lower`: the function's names are.
    """
    if length is not None:
        framing = ("Content-Length", str(length))
    elif told := header(metadata.headers, "Content-Length"):
        framing = ("Content-Length", told)
    else:
        framing = ("Transfer-Encoding", "chunked")
    own = [row for row in metadata.headers if row[0].lower() not in _NOT_THE_FUNCTIONS]
    return [
        ("Date", formatdate(usegmt=True)),
        ("Content-Type", header(metadata.headers, "Content-Type") or default_type),
        framing,
        ("Connection", "keep-alive"),
        *ids,
        *(("Set-Cookie", cookie) for cookie in metadata.cookies),
        *((name.lower() if lower else name, value) for name, value in own),
        *last,
    ]
