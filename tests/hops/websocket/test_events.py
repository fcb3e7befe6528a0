"""The events of a WebSocket API, key for key, and the route of a message."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from converse_hops.websocket.events import (
    Ids,
    Opening,
    check_expression,
    connect_event,
    disconnect_event,
    message_event,
    notice,
    select_route,
)
from hypothesis import given
from hypothesis import strategies as st

CONNECTED = datetime(2024, 2, 9, 18, 11, 43, 419_000, tzinfo=UTC)
NOW = datetime(2024, 2, 9, 18, 11, 43, 420_000, tzinfo=UTC)
HEADERS = (
    ("Host", "abcd1234.execute-api.us-east-1.amazonaws.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "k"),
    ("Sec-WebSocket-Version", "13"),
    ("Cookie", "a=1"),
    ("Cookie", "b=2"),
)


def opening(query: str = "", *more: tuple[str, str]) -> Opening:
    return Opening("abcd1234", "prod", "AAAA1234=", "192.0.2.1", query, (*HEADERS, *more), CONNECTED)


def context(route_key: str, event_type: str, **more: Any) -> dict[str, Any]:
    return {
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": "ABCD1234=",
        "requestTime": "09/Feb/2024:18:11:43 +0000",
        "messageDirection": "IN",
        "stage": "prod",
        "connectedAt": 1707502303419,
        "requestTimeEpoch": 1707502303420,
        "identity": {"sourceIp": "192.0.2.1"},
        "requestId": "ABCD1234=",
        "domainName": "abcd1234.execute-api.us-east-1.amazonaws.com",
        "connectionId": "AAAA1234=",
        "apiId": "abcd1234",
        **more,
    }


def test_a_connect_event() -> None:
    event = connect_event(opening(), "ABCD1234=", "Root=1-65c6a25f-0123456789abcdef01234567", NOW)
    assert event == {
        "headers": {
            "Cookie": "b=2",
            "Host": "abcd1234.execute-api.us-east-1.amazonaws.com",
            "Sec-WebSocket-Key": "k",
            "Sec-WebSocket-Version": "13",
            "X-Amzn-Trace-Id": "Root=1-65c6a25f-0123456789abcdef01234567",
            "X-Forwarded-For": "192.0.2.1",
            "X-Forwarded-Port": "443",
            "X-Forwarded-Proto": "https",
        },
        "multiValueHeaders": {
            "Cookie": ["a=1", "b=2"],
            "Host": ["abcd1234.execute-api.us-east-1.amazonaws.com"],
            "Sec-WebSocket-Key": ["k"],
            "Sec-WebSocket-Version": ["13"],
            "X-Amzn-Trace-Id": ["Root=1-65c6a25f-0123456789abcdef01234567"],
            "X-Forwarded-For": ["192.0.2.1"],
            "X-Forwarded-Port": ["443"],
            "X-Forwarded-Proto": ["https"],
        },
        "requestContext": context("$connect", "CONNECT"),
        "isBase64Encoded": False,
    }
    assert list(event) == ["headers", "multiValueHeaders", "requestContext", "isBase64Encoded"]


def test_a_connect_event_has_parameters_only_if_there_are_any() -> None:
    event = connect_event(opening("token=a%20b&x=1&x=2"), "r", "t", NOW)
    assert event["queryStringParameters"] == {"token": "a b", "x": "2"}
    assert event["multiValueQueryStringParameters"] == {"token": ["a b"], "x": ["1", "2"]}


def test_a_browser_is_named_with_its_user_agent() -> None:
    event = connect_event(opening("", ("User-Agent", "Mozilla/5.0")), "r", "t", NOW)
    assert event["requestContext"]["identity"] == {"userAgent": "Mozilla/5.0", "sourceIp": "192.0.2.1"}


def test_a_message_event_has_no_headers() -> None:
    assert message_event(opening(), "$default", "ABCD1234=", "Kf2dGd9lywMCEng=", '{"a":1}', NOW) == {
        "requestContext": context("$default", "MESSAGE", messageId="Kf2dGd9lywMCEng="),
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


def test_a_binary_message_is_encoded() -> None:
    event = message_event(opening(), "$default", "r", "m", b"\x00\xff", NOW)
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        (1005, "", "Client-side close frame status not set"),
        (1000, "", "Connection Closed Normally"),
        (1000, "bye", "bye"),
        (4001, "", ""),
    ],
)
def test_a_disconnect_event(code: int, reason: str, told: str) -> None:
    event = disconnect_event(opening(), "ABCD1234=", code, reason, NOW)
    headers = {
        "Host": "abcd1234.execute-api.us-east-1.amazonaws.com",
        "x-api-key": "",
        "X-Forwarded-For": "",
        "x-restapi": "",
    }
    assert event == {
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": context(
            "$disconnect", "DISCONNECT", disconnectStatusCode=code, disconnectReason=told
        ),
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    ("message", "route"),
    [
        ('{"action":"chat"}', "chat"),
        (b'{"action":"chat"}', "chat"),
        ('{"action":"unknown"}', "$default"),
        ('{"action":"$connect"}', "$default"),
        ('{"action":7}', "$default"),
        ('{"action":["chat"]}', "$default"),
        ('["chat"]', "$default"),
        ("chat", "$default"),
        ("", "$default"),
        (b"\xff", "$default"),
        ("[" * 100_000, "$default"),
    ],
)
def test_the_route_of_a_message(message: str | bytes, route: str) -> None:
    assert select_route("$request.body.action", {"chat", "$connect", "$default"}, message) == route


def test_a_route_may_be_deeper_in_the_message_and_there_may_be_none() -> None:
    assert select_route("$request.body.a.b", {"x"}, '{"a":{"b":"x"}}') == "x"
    assert select_route("$request.body.a.b", {"x"}, '{"a":{"b":"y"}}') is None


@pytest.mark.parametrize(
    "expression", ["", "action", "$request.body.", "$request.body..a", "$request.header.x"]
)
def test_what_is_no_expression_is_told(expression: str) -> None:
    with pytest.raises(ValueError, match="no route selection expression; it looks like"):
        check_expression(expression)
    assert check_expression("$request.body.action") == "$request.body.action"


@given(st.text() | st.binary())
def test_every_message_has_a_route(message: str | bytes) -> None:
    assert select_route("$request.body.action", {"$default"}, message) == "$default"


def test_the_notices_of_the_gateway() -> None:
    assert json.loads(notice("Endpoint request timed out", opening(), "r")) == {
        "message": "Endpoint request timed out",
        "connectionId": "AAAA1234=",
        "requestId": "r",
    }


def test_ids_have_the_form_of_the_real_ones_and_follow_from_the_seed() -> None:
    ids = Ids(7)
    connection, request = ids.connection(), ids.request()
    assert (len(connection), connection[-2:]) == (len("gbgHN0-zjQAYKEjhgA=="), "==")
    assert (len(request), request[-1]) == (len("Kf2dGd9lywMCEng="), "=")
    assert ids.trace(NOW).startswith("Root=1-65c66adf-")
    assert len(ids.trace(NOW)) == len("Root=1-5759e988-bd862e3fe1be46a994272793")
    assert (Ids(7).connection(), Ids(8).connection() == connection) == (connection, False)
