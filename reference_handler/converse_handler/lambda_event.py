"""The HTTP request in a Lambda event.

API Gateway's REST APIs send the proxy event (1.0); function URLs and HTTP APIs send payload 2.0.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class UnknownEvent(ValueError):
    """The event carries no HTTP request, or in another shape."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What of a request the handler looks at. `path` is without the stage."""

    method: str
    path: str
    content_type: str
    body: bytes


def http_request(event: Any) -> HttpRequest:
    """Read the event; raises `UnknownEvent`."""
    try:
        method, path = _from_2_0(event) if event.get("version") == "2.0" else _from_1_0(event)
        return HttpRequest(method, path, _content_type(event), _body(event))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnknownEvent(
            "this event is no HTTP request of a function URL (payload 2.0) or of a REST API (1.0)"
        ) from error


def _from_1_0(event: Mapping[str, Any]) -> tuple[str, str]:
    return event["httpMethod"], event["path"]


def _from_2_0(event: Mapping[str, Any]) -> tuple[str, str]:
    context = event["requestContext"]
    path: str = event["rawPath"]
    return context["http"]["method"], path.removeprefix(f"/{context.get('stage', '$default')}")


def _content_type(event: Mapping[str, Any]) -> str:
    headers = event.get("headers") or {}  # null in a proxy event without any
    return next((value for name, value in headers.items() if name.lower() == "content-type"), "")


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
