"""Payload format 1.0: the proxy events of REST APIs. Absent things are null, nothing is left out.

Source: API Gateway's documentation, and its samples.
"""

import json
from dataclasses import dataclass

from converse_hops.fronts.asked import ACCOUNT, Asked
from converse_hops.fronts.payload_v2 import Json, decoded, told_body
from converse_hops.functions.prelude import MEMBERS, Metadata, PreludeError, metadata_of

_IDENTITY = (
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "accessKey",
    "principalOrgId",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "user",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """The stage of an API that a request came through."""

    api: str
    domain: str
    name: str


def event(asked: Asked, stage: Stage) -> Json:
    """The event for a request. Its path may begin with the stage's name, or not, as under a custom domain."""
    path = asked.path
    if path == f"/{stage.name}" or path.startswith(f"/{stage.name}/"):
        path = path.removeprefix(f"/{stage.name}") or "/"
    rows = [
        *asked.headers,
        ("X-Amzn-Trace-Id", asked.root),
        ("X-Forwarded-For", asked.client),
        ("X-Forwarded-Port", asked.port),
        ("X-Forwarded-Proto", "http"),
    ]
    return {
        "resource": path,
        "path": path,
        "httpMethod": asked.method,
        "headers": dict(rows),
        "multiValueHeaders": _several(rows),
        "queryStringParameters": dict(asked.pairs) or None,
        "multiValueQueryStringParameters": _several(asked.pairs) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": _context(asked, stage, path),
        "body": asked.body.decode(errors="replace") if asked.body else None,
        "isBase64Encoded": False,
    }


def _context(asked: Asked, stage: Stage, path: str) -> Json:
    identity = {"sourceIp": asked.client, "userAgent": asked.header("User-Agent") or None}
    return {
        "resourceId": "abc123",
        "resourcePath": path,
        "httpMethod": asked.method,
        "extendedRequestId": asked.extended_id,
        "requestTime": asked.time,
        "path": asked.path,
        "accountId": ACCOUNT,
        "protocol": "HTTP/1.1",
        "stage": stage.name,
        "domainPrefix": stage.domain.split(".")[0],
        "requestTimeEpoch": asked.milliseconds,
        "requestId": asked.id,
        "identity": {**identity, **dict.fromkeys(_IDENTITY)},
        "domainName": stage.domain,
        "apiId": stage.api,
    }


def _several(rows: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in rows:
        found.setdefault(name, []).append(value)
    return found


def read_answer(body: bytes) -> tuple[Metadata, bytes]:
    """Head and body of a function's whole answer; raises `PreludeError` for a malformed one."""
    try:
        told = json.loads(body)
    except ValueError as error:
        raise PreludeError(f"the answer is no JSON: {error}") from error
    if not isinstance(told, dict) or told.keys() - MEMBERS - {"body", "isBase64Encoded"}:
        raise PreludeError("the answer is no proxy response")
    content = told.get("body")
    if not (content is None or isinstance(content, str)):
        raise PreludeError("the answer's body is no string")
    binary = told.get("isBase64Encoded") is True
    return metadata_of(told), decoded(content) if binary else told_body(content or "")
