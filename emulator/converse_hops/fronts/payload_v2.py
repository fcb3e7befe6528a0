"""Payload format 2.0: the events of function URLs and HTTP APIs, and what a function's answer means.

Source of the event: a capture of a function URL (September 2026); of the answer: API Gateway's documentation.
"""

import json
from base64 import b64decode
from dataclasses import dataclass

from converse_hops.fronts.asked import Asked
from converse_hops.fronts.invoking import body_members
from converse_hops.functions.prelude import Metadata, PreludeError, metadata_of

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Api:
    """What an event says of the API that it came through."""

    account: str
    id: str
    domain: str
    route: str = "$default"


def event(asked: Asked, api: Api) -> Json:
    """The event for a request. Header names are lower-case, several values joined by commas."""
    headers: dict[str, str] = {}
    for name, value in asked.headers:
        if name.lower() != "cookie":
            key = name.lower()
            headers[key] = f"{headers[key]},{value}" if key in headers else value
    headers |= {
        "x-amzn-trace-id": asked.root,
        "x-forwarded-for": asked.client,
        "x-forwarded-port": asked.port,
        "x-forwarded-proto": "http",
    }
    jars = (value for name, value in asked.headers if name.lower() == "cookie")
    cookies = [cookie for jar in jars for cookie in jar.split("; ")]
    parameters: dict[str, str] = {}
    for name, value in asked.pairs:
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return {
        "version": "2.0",
        "routeKey": api.route,
        "rawPath": asked.path,
        "rawQueryString": asked.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": headers,
        **({"queryStringParameters": parameters} if parameters else {}),
        "requestContext": {
            "accountId": api.account,
            "apiId": api.id,
            "domainName": api.domain,
            "domainPrefix": api.domain.split(".")[0],
            "http": {
                "method": asked.method,
                "path": asked.path,
                "protocol": "HTTP/1.1",
                "sourceIp": asked.client,
                "userAgent": asked.header("User-Agent"),
            },
            "requestId": asked.id,
            "routeKey": api.route,
            "stage": "$default",
            "time": asked.time,
            "timeEpoch": asked.milliseconds,
        },
        **body_members(asked.body, asked.header("Content-Type")),
    }


def read_answer(body: bytes) -> tuple[Metadata, bytes]:
    """Head and body of a function's whole answer; raises `PreludeError` for what is none.

    An object with a `statusCode` is a response; any other JSON is the body of one.
    """
    try:
        told = json.loads(body)
    except ValueError as error:
        raise PreludeError(f"the answer is no JSON: {error}") from error
    if not isinstance(told, dict) or "statusCode" not in told:
        return Metadata(headers=(("content-type", "application/json"),)), told_body(told)
    metadata = metadata_of(told)
    content = told.get("body") or ""
    if told.get("isBase64Encoded") is True:
        return metadata, decoded(content)
    return metadata, told_body(content)


def told_body(content: object) -> bytes:
    """A string as it is, anything else as JSON."""
    text = content if isinstance(content, str) else json.dumps(content, separators=(",", ":"))
    return text.encode()


def decoded(content: object) -> bytes:
    """The bytes of base64; raises `PreludeError` for what is none."""
    try:
        return b64decode(content if isinstance(content, str) else "", validate=True)
    except ValueError as error:
        raise PreludeError(f"the body is no base64: {error}") from error
