"""The messages of the realtime WebSocket, from and to the client: JSON objects with a `type`."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from converse_hops.appsync.errors import EventsError

PROTOCOL = "aws-appsync-event-ws"
ID = re.compile(r"[a-zA-Z0-9-_+]{1,128}")
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Init:
    """`connection_init`: optional, answered by `connection_ack`."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str
    channel: object  # as the client wrote it: that is what is signed
    authorization: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Publish:
    id: str
    channel: object
    events: object
    authorization: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    id: str


Message = Init | Subscribe | Publish | Unsubscribe


class Unreadable(EventsError):
    """A message that is none. `answer` is the type of what the client is told, `id` the message's own."""

    def __init__(self, answer: str, id: str | None, kind: str, *about: object) -> None:
        super().__init__(kind, *about)
        self.answer, self.id = answer, id


def read(text: str | bytes) -> Message:
    """The message of a frame; raises `Unreadable`."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Unreadable("error", None, "bad_request", "a message is a JSON object with a type")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in _READ:
        raise Unreadable("error", _id(message), "unsupported", kind if isinstance(kind, str) else "unknown")
    if kind != "connection_init" and _id(message) is None:
        raise Unreadable(f"{kind}_error", None, "bad_request", f"id must match {ID.pattern}")
    return _READ[kind](message)


def _id(message: Object) -> str | None:
    id = message.get("id")
    return id if isinstance(id, str) and ID.fullmatch(id) else None


def _authorization(message: Object) -> Mapping[str, str]:
    """The headers that authorize one operation, names in lower case."""
    given = message.get("authorization")
    if not isinstance(given, dict):
        return {}
    return {str(name).lower(): value for name, value in given.items() if isinstance(value, str)}


_READ: Mapping[str, Callable[[Object], Message]] = {
    "connection_init": lambda _: Init(),
    "subscribe": lambda m: Subscribe(m["id"], m.get("channel"), _authorization(m)),
    "publish": lambda m: Publish(m["id"], m.get("channel"), m.get("events"), _authorization(m)),
    "unsubscribe": lambda m: Unsubscribe(m["id"]),
}

KEEP_ALIVE: Object = {"type": "ka"}


def ack(timeout: float) -> Object:
    """`connection_ack`; the client waits `timeout` seconds for a sign of life."""
    return {"type": "connection_ack", "connectionTimeoutMs": round(timeout * 1000)}


def success(kind: str, id: str, **more: Any) -> Object:
    """`subscribe_success`, `publish_success`, `unsubscribe_success`."""
    return {"id": id, "type": f"{kind}_success", **more}


def failure(kind: str, error: EventsError, id: str | None = None) -> Object:
    """`error`, and `_error` after `connection`, `subscribe`, `publish`, `unsubscribe` and `broadcast`."""
    return {"type": kind, **({} if id is None else {"id": id}), **error.body()}


def data(id: str, event: str, *, as_array: bool) -> Object:
    """An event. The documentation shows it in an array, the service's own client reads a string as well."""
    return {"type": "data", "id": id, "event": [event] if as_array else event}


def encode(message: Object) -> str:
    """The frame of a message."""
    return json.dumps(message, separators=(",", ":"))
