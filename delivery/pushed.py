"""The paths on which a handler pushes, and looking at them: the WebSocket API and AppSync Events."""

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpx
from converse_hops import AppSyncEvents, Hop, WebSocketApi
from converse_hops.pace import Pace

from delivery.cells import Phase, Run
from delivery.chromium import Browser, Socketed
from delivery.quiet import HEARTBEAT

KEY = "da2-timeouts"
CHANNEL = "/default/one"
EVERY = 100.0  # seconds between two posts of an answer that goes on and on
WATCHED = 1200.0  # seconds after which nobody will cut

Post = Callable[[httpx.Client], object]


def over_websocket(browser: Browser, run: Run) -> tuple[Sequence[Hop], Socketed]:
    """A WebSocket API. Where it is about the first byte the integration itself takes its time; else it has
    the work done elsewhere and returns at once.
    """
    asked, over = threading.Event(), threading.Event()
    connection: list[str] = []

    def handler(event: Any) -> Any:
        if event["requestContext"]["eventType"] == "MESSAGE":
            connection.append(event["requestContext"]["connectionId"])
            asked.set()
            if run.phase == "first":
                over.wait()
        return {"statusCode": 200}

    def post(client: httpx.Client) -> object:
        return client.post(f"{api.management_url}/@connections/{connection[0]}", content=b"1")

    with WebSocketApi(handler, speed=run.speed) as api, _pushing(run, asked, over, post):
        return [api], browser.socket(
            api.connect_url,
            ['{"action": "chat"}'],
            until="timed out" if run.phase == "first" else "",
            patience=_patience(run),
        )


def over_appsync(browser: Browser, run: Run) -> tuple[Sequence[Hop], Socketed]:
    """An Event API, and a subscriber to its only channel."""
    over = threading.Event()
    subscribed = threading.Event()
    with AppSyncEvents(api_keys=[KEY], speed=run.speed) as events:
        own = {"host": events.url.removeprefix("http://"), "x-api-key": KEY}
        header = urlsafe_b64encode(json.dumps(own).encode()).decode().rstrip("=")
        subscribe = {"type": "subscribe", "id": "s", "channel": CHANNEL, "authorization": own}

        def post(client: httpx.Client) -> object:
            if not subscribed.is_set():
                events.journal.wait(lambda journal: "subscribe_success" in str(journal))
                subscribed.set()
            body = {"channel": CHANNEL, "events": ["1"]}
            return client.post(f"{events.url}/event", json=body, headers={"x-api-key": KEY})

        with _pushing(run, None, over, post):
            return [events], browser.socket(
                events.realtime_url,
                [json.dumps({"type": "connection_init"}), json.dumps(subscribe)],
                protocols=["aws-appsync-event-ws", f"header-{header}"],
                patience=_patience(run),
            )


def _patience(run: Run) -> float:
    return 30 if run.phase == "total" else Pace(run.speed).real(WATCHED)


@contextmanager
def _pushing(run: Run, asked: threading.Event | None, over: threading.Event, post: Post) -> Iterator[None]:
    """Meanwhile, once `asked`, send what the handler sends in this phase, each time by `post`."""

    def push() -> None:
        with httpx.Client(trust_env=False) as client, suppress(httpx.TransportError):
            if asked:
                asked.wait()
            for pause in _pauses(run.phase, Pace(run.speed)):
                if over.wait(pause):
                    return
                post(client)

    thread = threading.Thread(target=push)
    thread.start()
    try:
        yield
    finally:
        over.set()
        if asked:
            asked.set()
        thread.join()


def _pauses(phase: Phase, pace: Pace) -> Iterator[float]:
    """The real seconds before each post."""
    match phase:
        case "first":
            return
        case "between":
            yield from (0.0, 0.0)
        case "total" | "heartbeats":
            while True:
                yield pace.real(HEARTBEAT if phase == "heartbeats" else EVERY)
