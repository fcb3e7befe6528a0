"""Who is let in: API keys, signatures as botocore and browsers make them, tokens."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from converse_hops.appsync.callers import Doors, offered, signed
from converse_hops.appsync.channels import Caller, Channel
from converse_hops.appsync.errors import EventsError

ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CONSTANT = {
    "accept": "application/json, text/javascript",
    "content-encoding": "amz-1.0",
    "content-type": "application/json; charset=UTF-8",
}
URL = "https://abc.appsync-api.eu-west-1.amazonaws.com/event"


def authorize(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """A Lambda authorizer that knows one token, for subscriptions."""
    known = event["authorizationToken"] == "letmein"
    asked = event["requestContext"]
    return {
        "isAuthorized": known and asked["operation"] == "EVENT_SUBSCRIBE" and asked["channel"] == "/chat/a",
        "handlerContext": {"user": "alice"},
    }


DOORS = Doors(frozenset({"da2-mine"}), {ID: SECRET}, authorize)


def signature(
    body: bytes, *, secret: str = SECRET, service: str = "appsync", url: str = URL
) -> dict[str, str]:
    request = AWSRequest("POST", url, headers=dict(CONSTANT), data=body)
    SigV4Auth(Credentials(ID, secret), service, "eu-west-1").add_auth(request)
    return {name.lower(): value for name, value in {**request.headers, "host": request.url}.items()} | {
        "host": url.split("/")[2]
    }


def refused(headers: Mapping[str, str], body: bytes = b"{}") -> tuple[str, int, str]:
    with pytest.raises(EventsError) as error:
        DOORS.caller(headers, body, "subscribe", Channel.read("/chat/a"))
    return error.value.kind.type, error.value.kind.status, str(error.value)


def test_api_keys() -> None:
    assert DOORS.caller({"x-api-key": "da2-mine", "host": "h"}, b"{}", "connect") == Caller(
        "API_KEY", "api-key"
    )
    assert refused({"x-api-key": "da2-other"}) == (
        "UnauthorizedException",
        401,
        "You are not authorized to make this call.",
    )
    assert refused({})[2] == "Missing authorization header"


@pytest.mark.parametrize(
    "body", [b"{}", signed(channel="/chat/a"), signed(channel="/chat/a", events=['{"t":"<ü 🌍>"}'])]
)
def test_signatures_of_the_messages_own_json(body: bytes) -> None:
    assert DOORS.caller(signature(body), body, "connect") == Caller("AWS_IAM", ID)
    assert refused(signature(body), body + b" ")[:2] == ("BadRequestException", 403)


def test_signatures_that_are_not_good() -> None:
    assert refused(signature(b"{}", secret="other"))[2] == "signature mismatch"
    assert refused(signature(b"{}", service="execute-api"))[2] == "signature mismatch"
    assert refused(signature(b"{}", url=URL.replace("/event", "/graphql")))[2] == "signature mismatch"
    stranger = signature(b"{}")
    stranger["authorization"] = stranger["authorization"].replace(ID, "AKIAOTHER")
    assert refused(stranger)[0] == "UnauthorizedException"
    assert refused({"authorization": "AWS4-HMAC-SHA256 nonsense"})[0] == "BadRequestException"


def test_the_signed_json_is_that_of_javascript() -> None:
    text = signed(channel="/chat/a", events=['{"t":"<ü>"}'])
    assert text.decode() == '{"channel":"/chat/a","events":["{\\"t\\":\\"<ü>\\"}"]}'


def test_tokens_are_the_authorizers_matter() -> None:
    token = {"authorization": "letmein"}
    assert DOORS.caller(token, b"", "subscribe", Channel.read("/chat/a")) == Caller("AWS_LAMBDA", "alice")
    with pytest.raises(EventsError, match="not authorized"):
        DOORS.caller(token, b"", "publish", Channel.read("/chat/a"))
    with pytest.raises(EventsError, match="not authorized"):
        DOORS.caller(token, b"", "connect")
    assert refused({"authorization": "Bearer other"})[1] == 401
    with pytest.raises(EventsError, match="not authorized"):
        Doors(frozenset(), {}).caller(token, b"", "connect")


def encoded(value: Any) -> str:
    return "header-" + urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("key", ["k", "kk", "kkk", "kkkk"])
def test_the_authorization_of_a_handshake(key: str) -> None:
    protocols = ["aws-appsync-event-ws", encoded({"host": "h", "X-Api-Key": key})]
    assert offered(protocols) == {"host": "h", "x-api-key": key}


@pytest.mark.parametrize(
    "protocols",
    [
        [],
        ["aws-appsync-event-ws"],
        [encoded({"x-api-key": "k"})],
        ["aws-appsync-event-ws", encoded(["x"])],
        ["aws-appsync-event-ws", "header-"],
        ["aws-appsync-event-ws", "header-a"],
        ["graphql-ws", encoded({})],
    ],
)
def test_a_handshake_without_it(protocols: list[str]) -> None:
    with pytest.raises(EventsError, match="Sec-WebSocket-Protocol"):
        offered(protocols)
