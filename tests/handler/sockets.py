"""The handler behind a WebSocket API, and a client that remembers what it gets."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR
from typing import Any

from converse_handler.bridge import Bedrock, connect
from converse_handler.connections import Connections, connect_management
from converse_handler.demo_tools import DEMO_TOOLS
from converse_handler.metrics import Metrics
from converse_handler.settings import Settings
from converse_handler.websocket import Desk, WebSocketChat
from converse_hops.websocket.api import WebSocketApi
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

WAIT = 20.0  # seconds, on a busy machine
TERMINAL = ("message_stop", "error")
QUESTION = {"action": "chat", "messages": [{"role": "user", "content": "When does it renew?"}]}


@contextmanager
def chat_api(hop: Mapping[str, Any] | None = None, **settings: Any) -> Iterator[WebSocketApi]:
    """A WebSocket API with the long-running handler behind it; Bedrock is the one in the environment."""
    chats: list[WebSocketChat] = []

    async def target(event: Mapping[str, Any]) -> Any:
        return await chats[0](event)

    made = Settings(**{"first_byte_timeout": 30, **settings})
    bedrock = connect(made)
    with WebSocketApi(target, **(hop or {})) as api:
        client = connect_management(api.management_url)
        connections = Connections(client, made.between_bytes_timeout)
        chats.append(WebSocketChat(Desk(made, Bedrock(bedrock), connections, DEMO_TOOLS, Metrics())))
        yield api
    connections.pool.shutdown()
    client.close()
    bedrock.close()


class Reader:
    """Reads messages off a connection, and checks their numbers."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []  # of the answer under way
        self.pings = 0

    def ask(self, **question: Any) -> None:
        self.events = []
        self.socket.send(json.dumps(QUESTION | question))

    def vanish(self) -> None:
        """Leave without a word."""
        self.socket.socket.shutdown(SHUT_RDWR)

    def next(self) -> dict[str, Any]:
        """The next event, whose number must follow on the one before."""
        event: dict[str, Any] = {}
        while "seq" not in event:
            assert event in ({}, {"type": "ping"})
            self.pings += bool(event)
            event = json.loads(self.socket.recv(timeout=WAIT))
        assert event.pop("seq") == len(self.events) + 1
        self.events.append(event)
        return event

    def until(self, text: str) -> None:
        """Read until this text is there."""
        while text not in self.text:
            assert self.next()["type"] not in TERMINAL

    def rest(self) -> dict[str, Any]:
        """Read to the terminal event, and return it."""
        while not self.events or self.events[-1]["type"] not in TERMINAL:
            self.next()
        return self.events[-1]

    def closed(self) -> int:
        """The code of the close frame that comes next; what comes before it is read."""
        with suppress(ConnectionClosed):
            while True:
                self.next()
        return self.socket.close_code or 0

    @property
    def text(self) -> str:
        return "".join(event.get("delta", {}).get("text", "") for event in self.events)

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]
