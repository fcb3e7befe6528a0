"""What the tests of answers over AppSync Events share: an Event API for the handler, and a browser."""

import json
import time
from base64 import urlsafe_b64encode
from contextlib import ExitStack
from typing import Any

import httpx
from converse_handler.tickets import Tickets
from converse_hops.appsync.channels import Allow, only
from converse_hops.appsync.hop import AppSyncEvents
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

RULES = only(
    [
        Allow("connect"),
        Allow("subscribe", "/chat/{user}/*", modes=("AWS_LAMBDA",)),
        Allow("publish", "/chat/*", modes=("API_KEY", "AWS_IAM")),
    ]
)
TICKETS = Tickets("shared", "chat")
ASKED = [{"role": "user", "content": "When does it renew?"}]


def event_api(**options: Any) -> AppSyncEvents:
    """An Event API to which keys and signatures publish, and at which the handler's tickets listen."""

    def authorize(event: Any) -> Any:
        return TICKETS.authorize(event, time.time())

    return AppSyncEvents(**{"namespaces": ["chat"], "authorizer": authorize, "may": RULES, **options})


def settings_for(api: AppSyncEvents, **settings: Any) -> dict[str, Any]:
    """The settings of a handler that publishes to it."""
    own = {"appsync_endpoint": f"{api.url}/event", "appsync_secret": "shared", "appsync_api_key": "da2-local"}
    return {**own, **settings}


class Browser:
    """Subscribes, asks and listens, as a page does."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self.http = stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=30))
        self.session = self.http.get("/appsync").json()
        self.authorization = {"host": self.session["host"], "Authorization": self.session["ticket"]}
        encoded = urlsafe_b64encode(json.dumps(self.authorization).encode()).decode().rstrip("=")
        offer = [Subprotocol("aws-appsync-event-ws"), Subprotocol(f"header-{encoded}")]
        self.socket: ClientConnection = stack.enter_context(
            connect(self.session["realtime_url"], subprotocols=offer, proxy=None)
        )

    def subscribe(self, channel: str) -> Any:
        message = {"type": "subscribe", "id": "s", "channel": channel}
        self.socket.send(json.dumps({**message, "authorization": self.authorization}))
        return json.loads(self.socket.recv(timeout=20))

    def ask(self, channel: str, **headers: str) -> httpx.Response:
        headers = {"authorization": self.session["ticket"], **headers}
        return self.http.post("/appsync/chat", json={"messages": ASKED, "channel": channel}, headers=headers)

    def cancel(self, channel: str) -> Any:
        headers = {"authorization": self.session["ticket"]}
        return self.http.post("/appsync/cancel", json={"channel": channel}, headers=headers).json()

    def missed(self, channel: str, after: int | str) -> httpx.Response:
        headers = {"authorization": self.session["ticket"]}
        return self.http.get("/appsync/missed", params={"channel": channel, "after": after}, headers=headers)

    def hear(self, patience: float = 20) -> Any:
        """The next event; raises `TimeoutError`."""
        message = json.loads(self.socket.recv(timeout=patience))
        assert message["type"] == "data"
        (event,) = message["event"]
        return json.loads(event)

    def hear_all(self) -> list[Any]:
        """All events up to the terminal one."""
        events = [self.hear()]
        while events[-1]["type"] not in ("message_stop", "error"):
            events.append(self.hear())
        return events

    def own(self, name: str = "one") -> str:
        return f"{self.session['channels']}{name}"

    def start(self) -> None:
        """Subscribe to a channel of one's own, then ask."""
        assert self.subscribe(self.own())["type"] == "subscribe_success"
        assert self.ask(self.own()).status_code == 202
