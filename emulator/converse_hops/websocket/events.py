"""What a WebSocket API tells its integrations: the events of `$connect`, `$disconnect` and messages, and the
route that each takes.

`$connect` follows the sample of AWS's documentation, key for key. Inferred are `isBase64Encoded` of a binary
message and the reasons of disconnections other than 1000 and 1005.
"""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import parse_qsl

CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"
EXPRESSION = "$request.body."  # how a route selection expression begins

NORMAL, GOING_AWAY, NO_STATUS, ABNORMAL, TOO_BIG = 1000, 1001, 1005, 1006, 1009  # RFC 6455, 7.4.1

REASONS: Mapping[int, str] = {
    NORMAL: "Connection Closed Normally",
    GOING_AWAY: "Going away",
    NO_STATUS: "Client-side close frame status not set",
    ABNORMAL: "Connection closed without a close frame",
    TOO_BIG: "Message too long",
}

_HOP_BY_HOP = {"connection", "upgrade"}  # the gateway keeps them to itself
Event = dict[str, Any]


class Ids:
    """The ids that a gateway makes; the same seed makes the same ones."""

    def __init__(self, seed: int | str = 0) -> None:
        self._chance = Random(seed)

    def connection(self) -> str:
        """As `gbgHN0-zjQAYKEjhgA==`: clients percent-encode it in paths."""
        return urlsafe_b64encode(self._chance.randbytes(13)).decode()

    def request(self) -> str:
        """As `Kf2dGd9lywMCEng=`: of a request, and of a message."""
        return b64encode(self._chance.randbytes(11)).decode()

    def trace(self, now: datetime) -> str:
        """The value of `X-Amzn-Trace-Id`."""
        return f"Root=1-{int(now.timestamp()):08x}-{self._chance.randbytes(12).hex()}"


@dataclass(frozen=True, slots=True)
class Opening:
    """A connection's handshake: what its events quote. `headers` are the client's, in order."""

    api_id: str
    stage: str
    connection_id: str
    source_ip: str
    query: str
    headers: tuple[tuple[str, str], ...]
    connected_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name), None)

    @property
    def identity(self) -> dict[str, str]:
        """Who is at the other end."""
        agent = self.header("user-agent")
        return {**({"userAgent": agent} if agent else {}), "sourceIp": self.source_ip}


def connect_event(opening: Opening, request_id: str, trace: str, now: datetime) -> Event:
    """The event of a handshake."""
    kept = [(name, value) for name, value in opening.headers if name.lower() not in _HOP_BY_HOP]
    added = [
        ("X-Amzn-Trace-Id", trace),
        ("X-Forwarded-For", opening.source_ip),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]
    query = parse_qsl(opening.query, keep_blank_values=True)
    return {
        **_both("headers", "multiValueHeaders", [*kept, *added]),
        **(_both("queryStringParameters", "multiValueQueryStringParameters", query) if query else {}),
        "requestContext": _context(opening, CONNECT, "CONNECT", request_id, now),
        "isBase64Encoded": False,
    }


def message_event(
    opening: Opening, route_key: str, request_id: str, message_id: str, message: str | bytes, now: datetime
) -> Event:
    """The event of a message. It has no headers."""
    binary = isinstance(message, bytes)
    return {
        "requestContext": _context(opening, route_key, "MESSAGE", request_id, now, messageId=message_id),
        "body": b64encode(message).decode() if isinstance(message, bytes) else message,
        "isBase64Encoded": binary,
    }


def disconnect_event(opening: Opening, request_id: str, code: int, reason: str, now: datetime) -> Event:
    """The event of a connection's end. Of the headers only `Host` has a value."""
    headers = [("Host", opening.header("host") or "")]
    headers += [(name, "") for name in ("x-api-key", "X-Forwarded-For", "x-restapi")]
    why = reason or REASONS.get(code, "")
    return {
        **_both("headers", "multiValueHeaders", headers),
        "requestContext": _context(
            opening,
            DISCONNECT,
            "DISCONNECT",
            request_id,
            now,
            disconnectStatusCode=code,
            disconnectReason=why,
        ),
        "isBase64Encoded": False,
    }


def notice(text: str, opening: Opening, request_id: str) -> str:
    """The message that the gateway itself sends a client when an integration failed."""
    body = {"message": text, "connectionId": opening.connection_id, "requestId": request_id}
    return json.dumps(body, separators=(",", ":"))


def check_expression(expression: str) -> str:
    """The expression, if it can be evaluated; raises `ValueError`."""
    if not expression.startswith(EXPRESSION) or not all(expression.removeprefix(EXPRESSION).split(".")):
        raise ValueError(
            f"{expression!r} is no route selection expression; it looks like $request.body.action"
        )
    return expression


def select_route(expression: str, routes: Collection[str], message: str | bytes) -> str | None:
    """The key of the route that a message takes: what the expression finds in it, else `$default`; None if
    neither is a route."""
    found = _find(expression.removeprefix(EXPRESSION).split("."), message)
    if isinstance(found, str) and found in routes and not found.startswith("$"):
        return found
    return DEFAULT if DEFAULT in routes else None


def _find(path: Iterable[str], message: str | bytes) -> object:
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        return None
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _both(single: str, multiple: str, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Headers or parameters in the two forms that events have them: the last value, and all of them."""
    values: dict[str, list[str]] = {}
    for name, value in sorted(pairs, key=lambda pair: pair[0].lower()):
        values.setdefault(name, []).append(value)
    return {single: {name: given[-1] for name, given in values.items()}, multiple: values}


def _context(
    opening: Opening, route_key: str, event_type: str, request_id: str, now: datetime, **more: str | int
) -> dict[str, Any]:
    return {
        "routeKey": route_key,
        **more,
        "eventType": event_type,
        "extendedRequestId": request_id,
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "messageDirection": "IN",
        "stage": opening.stage,
        "connectedAt": milliseconds(opening.connected_at),
        "requestTimeEpoch": milliseconds(now),
        "identity": opening.identity,
        "requestId": request_id,
        "domainName": opening.header("host") or "",
        "connectionId": opening.connection_id,
        "apiId": opening.api_id,
    }


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return int(moment.timestamp() * 1000)
