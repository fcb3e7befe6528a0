"""What these tests share: a function that remembers its events, boto3's client, those of `websockets`."""

import queue
import socket
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from converse_hops.websocket.api import WebSocketApi
from websockets.sync.client import ClientConnection, connect

WAIT = 20.0  # seconds, on a busy machine


class Recorder:
    """A function that returns what it is told to, by event type."""

    def __init__(self) -> None:
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.results: dict[str, Any] = {}

    def __call__(self, event: dict[str, Any]) -> Any:
        self.events.put(event)
        result = self.results.get(event["requestContext"]["eventType"], {"statusCode": 200})
        if isinstance(result, Exception):
            raise result
        return result(event) if callable(result) else result

    def next(self, event_type: str) -> dict[str, Any]:
        """The next event, which must be of this type."""
        event = self.events.get(timeout=WAIT)
        assert event["requestContext"]["eventType"] == event_type
        return event

    def connection_id(self) -> str:
        """Of the connection that was opened last."""
        name: str = self.next("CONNECT")["requestContext"]["connectionId"]
        return name


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def serve_api(recorder: Recorder) -> Iterator[Callable[..., WebSocketApi]]:
    """Start a WebSocket API in front of the recorder: `api = serve_api(speed=60)`."""
    started: list[WebSocketApi] = []

    def serve(target: Any = recorder, **options: Any) -> WebSocketApi:
        started.append(WebSocketApi(target, **options).start())
        return started[-1]

    yield serve
    for api in started:
        api.stop()


@pytest.fixture
def api(serve_api: Callable[..., WebSocketApi]) -> WebSocketApi:
    return serve_api()


def management(
    api: WebSocketApi, key: str = "AKIDTEST", secret: str = "dummy", url: str | None = None
) -> Any:
    """A client of the `@connections` API that does not retry."""
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=url or api.management_url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}, proxies={}),
    )


def browser(api: WebSocketApi, **options: Any) -> ClientConnection:
    """A client that was let in."""
    options = {"open_timeout": WAIT, "compression": None, "proxy": None, "ping_interval": None} | options
    return connect(options.pop("url", api.connect_url), **options)


def slow_browser(api: WebSocketApi) -> ClientConnection:
    """A client whose kernel keeps little for it, and that takes a single message before it must be read."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", int(api.url.rpartition(":")[2])))
    return browser(api, sock=plain, max_queue=1)
