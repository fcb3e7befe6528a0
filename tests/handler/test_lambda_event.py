"""The HTTP request in each kind of Lambda event."""

import base64
from typing import Any

import pytest
from converse_handler.lambda_event import HttpRequest, UnknownEvent, http_request

BODY = '{"messages": "… ü"}'
ASKED = HttpRequest("POST", "/chat", "application/json", BODY.encode())

PROXY: dict[str, Any] = {
    "resource": "/{proxy+}",
    "path": "/chat",
    "httpMethod": "POST",
    "headers": {"Accept": "text/event-stream", "Content-Type": "application/json"},
    "multiValueHeaders": {"Accept": ["text/event-stream"], "Content-Type": ["application/json"]},
    "queryStringParameters": None,
    "requestContext": {"path": "/prod/chat", "stage": "prod", "httpMethod": "POST"},
    "body": BODY,
    "isBase64Encoded": False,
}
PAYLOAD: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/chat",
    "headers": {"content-type": "application/json", "host": "x.lambda-url.us-east-1.on.aws"},
    "requestContext": {"http": {"method": "POST", "path": "/chat"}, "stage": "$default"},
    "body": BODY,
    "isBase64Encoded": False,
}


@pytest.mark.parametrize("event", [PROXY, {**PROXY, "version": "1.0"}, PAYLOAD])
def test_both_shapes_carry_the_same_request(event: Any) -> None:
    assert http_request(event) == ASKED


@pytest.mark.parametrize("event", [PROXY, PAYLOAD])
def test_a_body_in_base64(event: Any) -> None:
    body = base64.b64encode(BODY.encode()).decode()
    assert http_request({**event, "body": body, "isBase64Encoded": True}) == ASKED


def test_a_stage_of_an_http_api_is_no_part_of_the_path() -> None:
    context = {**PAYLOAD["requestContext"], "stage": "prod"}
    assert http_request({**PAYLOAD, "rawPath": "/prod/chat", "requestContext": context}) == ASKED


def test_what_is_not_there_is_empty() -> None:
    bare = {"httpMethod": "GET", "path": "/", "headers": None, "body": None}
    assert http_request(bare) == HttpRequest("GET", "/", "", b"")
    without = {name: value for name, value in PAYLOAD.items() if name not in ("body", "headers")}
    assert http_request(without) == HttpRequest("POST", "/chat", "", b"")


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        [],
        "hello",
        {"version": "2.0"},
        {"version": "2.0", "requestContext": {"http": None}},
        {"requestContext": {"routeKey": "$connect", "eventType": "CONNECT"}},
        {"Records": []},
        {**PAYLOAD, "body": "no base64 ü", "isBase64Encoded": True},
    ],
)
def test_any_other_event_is_told(event: Any) -> None:
    with pytest.raises(UnknownEvent, match=r"no HTTP request of a function URL \(payload 2\.0\)"):
        http_request(event)
