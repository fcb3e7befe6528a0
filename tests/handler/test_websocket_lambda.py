"""The chat as a Lambda function behind a WebSocket API, run by AWS's own runtime for Python."""

import json
import sys
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from converse_emulator import Session
from converse_hops.functions.function import Function
from converse_hops.websocket.api import WebSocketApi
from websockets.sync.client import connect

from tests.handler.sockets import Reader

pytest.importorskip("awslambdaric", reason="the runtime for Python is not installed")
COMMAND = [sys.executable, "-m", "awslambdaric", "converse_handler.websocket_lambda.handler"]
WAIT = 60.0  # seconds: a runtime has to start


@pytest.fixture
def api(bedrock: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebSocketApi]:  # noqa: ARG001
    """The API waits for 2.9 s at most; the function has the time of the machine."""
    with Function(COMMAND) as function, WebSocketApi(function, speed=10) as api:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", function.url)
        monkeypatch.setenv("CHAT_WEBSOCKET_ENDPOINT", api.management_url)
        monkeypatch.setenv("CHAT_FIRST_BYTE_TIMEOUT", "30")
        monkeypatch.setenv("CHAT_HEARTBEAT", "0.2")
        warm_up(function)
        yield api


def warm_up(function: Function) -> None:
    """Have a runtime started, however long that takes on a busy machine."""
    event = json.dumps({"requestContext": {"eventType": "CONNECT", "connectionId": "x"}}).encode()
    url = f"{function.url}/2015-03-31/functions/{function.name}/invocations"
    with urlopen(url, event, timeout=WAIT) as response:
        assert json.load(response) == {"statusCode": 200}


def test_an_answer_outlives_the_integration_timeout_and_the_invocation(
    api: WebSocketApi, bedrock: Session
) -> None:
    bedrock.play([{"text": "one "}, {"wait": "4s"}, {"text": "two"}])
    with connect(api.connect_url, proxy=None, open_timeout=WAIT, ping_interval=None) as socket:
        reader = Reader(socket)
        reader.ask()
        assert reader.rest()["type"] == "message_stop"
    assert reader.text == "one two"
    assert not api.journal.last.happened("cut")


def test_cancel_closes_the_connection_and_lets_go_of_the_model(api: WebSocketApi, bedrock: Session) -> None:
    bedrock.play([{"text": "It renews on "}, {"wait": "forever"}])
    with connect(api.connect_url, proxy=None, open_timeout=WAIT, ping_interval=None) as socket:
        reader = Reader(socket)
        reader.ask()
        reader.until("on ")
        socket.send('{"action": "cancel"}')
        assert reader.closed() == 1000
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"
