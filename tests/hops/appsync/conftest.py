"""An Event API, and clients of it over real sockets."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from converse_hops.appsync.hop import AppSyncEvents
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

KEY = {"x-api-key": "da2-local", "host": "127.0.0.1"}


class Client:
    """A client of the realtime WebSocket that asserts the order of everything."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def hear(self) -> Any:
        """The next message, once it comes."""
        return json.loads(self.connection.recv(timeout=20))

    def ask(self, **message: Any) -> Any:
        self.say(**message)
        return self.hear()

    def subscribe(self, id: str, channel: str, authorization: Mapping[str, str] = KEY) -> Any:
        return self.ask(type="subscribe", id=id, channel=channel, authorization=authorization)

    def publish(self, id: str, channel: str, *events: str) -> Any:
        return self.ask(type="publish", id=id, channel=channel, events=list(events), authorization=KEY)


def protocols(authorization: Mapping[str, str]) -> list[Subprotocol]:
    encoded = urlsafe_b64encode(json.dumps(authorization).encode()).decode().rstrip("=")
    return [Subprotocol("aws-appsync-event-ws"), Subprotocol(f"header-{encoded}")]


@pytest.fixture
def serve() -> Iterator[Callable[..., AppSyncEvents]]:
    """Serve an Event API: `serve(speed=60)`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(AppSyncEvents(**options))


@pytest.fixture
def join() -> Iterator[Callable[..., Client]]:
    """Connect to its WebSocket: `join(api)`, `join(api, authorization)`."""
    with ExitStack() as stack:

        def connected(api: AppSyncEvents, authorization: Mapping[str, str] = KEY) -> Client:
            offer = protocols(authorization)
            return Client(stack.enter_context(connect(api.realtime_url, subprotocols=offer, proxy=None)))

        yield connected


@pytest.fixture
def post() -> Iterator[Callable[..., httpx.Response]]:
    """Publish over HTTP: `post(api, channel, *events)`."""
    with httpx.Client(trust_env=False, timeout=20) as client:

        def posted(api: AppSyncEvents, channel: str, *events: str, **headers: str) -> httpx.Response:
            body = {"channel": channel, "events": list(events)}
            return client.post(f"{api.url}/event", json=body, headers=headers or KEY)

        yield posted
