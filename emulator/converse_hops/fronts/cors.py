"""CORS as a function URL answers it by itself: a preflight never reaches the function.

Source: AWS's documentation, and a capture in which a preflight that is not allowed gets an empty 200.
"""

from dataclasses import dataclass

from converse_hops.fronts.asked import Asked
from converse_hops.http.link import Headers

PREFIX = "access-control-"


@dataclass(frozen=True, slots=True)
class Cors:
    """Who may do what. `*` is any; `max_age` is in seconds."""

    allow_origins: tuple[str, ...] = ("*",)
    allow_methods: tuple[str, ...] = ("*",)
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: int | None = None

    def is_preflight(self, asked: Asked) -> bool:
        asks = asked.header("Origin") and asked.header("Access-Control-Request-Method")
        return asked.method == "OPTIONS" and bool(asks)

    def preflight(self, asked: Asked) -> Headers:
        """What a preflight is granted: nothing, where any of it is not allowed."""
        method = asked.header("Access-Control-Request-Method")
        wanted = [
            name.strip() for name in asked.header("Access-Control-Request-Headers").split(",") if name.strip()
        ]
        origin = self._origin(asked)
        if not (origin and _allowed(method, self.allow_methods)):
            return ()
        if not all(_allowed(name, self.allow_headers) for name in wanted):
            return ()
        rows = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Methods", method)]
        if wanted:
            rows.append(("Access-Control-Allow-Headers", ",".join(wanted)))
        if self.max_age is not None:
            rows.append(("Access-Control-Max-Age", str(self.max_age)))
        return (*rows, *self._credentials())

    def granted(self, asked: Asked) -> Headers:
        """What a response says to the page that asked."""
        if not (origin := self._origin(asked)):
            return ()
        rows = [("Access-Control-Allow-Origin", origin), *self._credentials()]
        if self.expose_headers:
            rows.append(("Access-Control-Expose-Headers", ",".join(self.expose_headers)))
        return tuple(rows)

    def _origin(self, asked: Asked) -> str:
        """The origin that is allowed, if it is: with credentials never `*` itself."""
        origin = asked.header("Origin")
        if not origin or not _allowed(origin, self.allow_origins):
            return ""
        return "*" if "*" in self.allow_origins and not self.allow_credentials else origin

    def _credentials(self) -> Headers:
        return (("Access-Control-Allow-Credentials", "true"),) if self.allow_credentials else ()


def _allowed(value: str, values: tuple[str, ...]) -> bool:
    return "*" in values or value.lower() in map(str.lower, values)
