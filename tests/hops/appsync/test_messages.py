"""The messages of the realtime WebSocket, both ways."""

import json
from typing import Any

import pytest
from converse_hops.appsync.errors import KINDS, EventsError
from converse_hops.appsync.messages import (
    Init,
    Publish,
    Subscribe,
    Unreadable,
    Unsubscribe,
    ack,
    data,
    encode,
    failure,
    read,
    success,
)

AUTHORIZATION = {"host": "h", "X-Api-Key": "k", "odd": 1}


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ({"type": "connection_init"}, Init()),
        ({"type": "unsubscribe", "id": "a"}, Unsubscribe("a")),
        (
            {"type": "subscribe", "id": "a_-+9", "channel": "/c/*", "authorization": AUTHORIZATION},
            Subscribe("a_-+9", "/c/*", {"host": "h", "x-api-key": "k"}),
        ),
        (
            {"type": "publish", "id": "i" * 128, "channel": "/c", "events": ["1"], "authorization": None},
            Publish("i" * 128, "/c", ["1"], {}),
        ),
    ],
)
def test_what_a_client_says(message: Any, meant: Any) -> None:
    assert read(json.dumps(message)) == meant


@pytest.mark.parametrize(
    ("text", "answer", "id", "type"),
    [
        ("", "error", None, "BadRequestException"),
        ("[]", "error", None, "BadRequestException"),
        ("\xff", "error", None, "BadRequestException"),
        ("{}", "error", None, "UnsupportedOperation"),
        ('{"type": "start", "id": "a"}', "error", "a", "UnsupportedOperation"),
        ('{"type": ["x"]}', "error", None, "UnsupportedOperation"),
        ('{"type": "subscribe"}', "subscribe_error", None, "BadRequestException"),
        ('{"type": "publish", "id": "a b"}', "publish_error", None, "BadRequestException"),
        (f'{{"type": "unsubscribe", "id": "{"i" * 129}"}}', "unsubscribe_error", None, "BadRequestException"),
    ],
)
def test_what_cannot_be_meant(text: str, answer: str, id: str | None, type: str) -> None:
    with pytest.raises(Unreadable) as error:
        read(text)
    assert (error.value.answer, error.value.id, error.value.kind.type) == (answer, id, type)


def test_what_the_service_says() -> None:
    assert encode(ack(300.0)) == '{"type":"connection_ack","connectionTimeoutMs":300000}'
    assert success("subscribe", "a") == {"type": "subscribe_success", "id": "a"}
    assert data("a", '{"b":1}', as_array=True) == {"type": "data", "id": "a", "event": ['{"b":1}']}
    assert data("a", '{"b":1}', as_array=False) == {"type": "data", "id": "a", "event": '{"b":1}'}
    assert failure("unsubscribe_error", EventsError("unknown_id", "a"), "a") == {
        "type": "unsubscribe_error",
        "id": "a",
        "errors": [{"errorType": "UnknownOperationError", "message": "Unknown operation id a"}],
    }
    assert failure("broadcast_error", EventsError("message"), "a")["errors"] == [
        {
            "errorType": "MessageProcessingError",
            "message": "There was an error processing the message",
        }
    ]


def test_every_error_says_how_it_is_known() -> None:
    assert {kind.evidence for kind in KINDS.values()} == {"documented", "reported", "inferred"}
    assert all(400 <= kind.status < 500 for kind in KINDS.values())
