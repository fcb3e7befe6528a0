"""A request as fronts see it, with what they add before a function is told."""

import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote, urlsplit

from converse_hops.functions.invocation import new_trace_id
from converse_hops.http.link import Headers, header
from converse_hops.http.server import Incoming

ACCOUNT = "123456789012"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything of a request that an event may tell."""

    method: str
    path: str  # as it was written
    query: str  # as it was written
    headers: Headers
    body: bytes
    client: str
    port: str
    at: float = field(default_factory=time.time)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    extended_id: str = field(default_factory=lambda: secrets.token_urlsafe(11)[:15] + "=")
    trace_id: str = field(default_factory=new_trace_id)

    @classmethod
    def of(cls, incoming: Incoming, port: str) -> "Asked":
        """The request, without its body."""
        parts = urlsplit(incoming.target)
        path = parts.path or "/"
        return cls(incoming.method, path, parts.query, incoming.headers, b"", incoming.client, port)

    def header(self, name: str) -> str:
        return header(self.headers, name) or ""

    @property
    def root(self) -> str:
        """The trace without what the service adds for itself."""
        return self.trace_id.split(";")[0]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query's names and values, decoded."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def decoded_path(self) -> str:
        return unquote(self.path)

    @property
    def milliseconds(self) -> int:
        return int(self.at * 1000)

    @property
    def time(self) -> str:
        """As in `22/Nov/2026:06:00:00 +0000`."""
        moment = datetime.fromtimestamp(self.at, UTC)
        return f"{moment:%d}/{_MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000"
