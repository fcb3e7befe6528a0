"""One Event API: who may enter, who listens, and the publish that both endpoints share."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol
from uuid import uuid4

from converse_hops.appsync.broker import Broker, Disorder
from converse_hops.appsync.callers import Doors
from converse_hops.appsync.channels import Action, Channel, May
from converse_hops.appsync.errors import EventsError
from converse_hops.appsync.limits import Limits, Rate
from converse_hops.pace import Pace


class Listener(Protocol):
    """A connection of the realtime endpoint."""

    def deliver(self, id: str, events: tuple[str, ...]) -> None:
        """Send events that were published where its subscription `id` listens."""


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a publish: the answer to it, and how many subscriptions it reached."""

    channel: Channel
    count: int
    reached: int

    @property
    def answer(self) -> dict[str, Any]:
        """`{"failed": [], "successful": [{"identifier", "index"}]}`"""
        told = [{"identifier": str(uuid4()), "index": place} for place in range(self.count)]
        return {"failed": [], "successful": told}

    @property
    def told(self) -> str:
        """For the journal."""
        return f"{self.count} events in {self.channel} for {self.reached} subscriptions"


@dataclass(slots=True)
class Api:
    """What is known of an API while it runs. For its loop only."""

    doors: Doors
    may: May
    broker: Broker
    pace: Pace
    event_as_array: bool
    drop: float
    reorder: float
    seed: int | str
    listeners: dict[int, Listener] = field(default_factory=dict)
    _inbound: Rate = field(init=False)

    def __post_init__(self) -> None:
        self._inbound = Rate(self.limits.events_per_second, self.pace.real(1.0))

    @property
    def limits(self) -> Limits:
        return self.broker.limits

    def enter(
        self, headers: Mapping[str, str], body: bytes, action: Action, channel: Channel | None = None
    ) -> None:
        """Raise `EventsError` unless whoever sent these headers with this body may do that."""
        if not self.may(self.doors.caller(headers, body, action, channel), action, channel):
            raise EventsError("denied")

    def channel(
        self, headers: Mapping[str, str], body: bytes, action: Action, name: object, *, wildcard: bool = False
    ) -> Channel:
        """The channel of that name, which the caller may use for that; raises `EventsError`."""
        try:
            channel = self.broker.channel(name, wildcard=wildcard)
        except EventsError:
            self.doors.caller(headers, body, action)  # who is unknown learns that and nothing else
            raise
        self.enter(headers, body, action, channel)
        return channel

    def publish(self, headers: Mapping[str, str], body: bytes, channel: object, events: object) -> Published:
        """Give events to whoever listens now; raises `EventsError`. `body` is what is signed."""
        if len(body) > self.limits.publish_bytes:
            raise EventsError("too_large", self.limits.publish_bytes)
        to = self.channel(headers, body, "publish", channel)
        batch = self.broker.events(events)
        if not self._inbound.admit(asyncio.get_running_loop().time(), len(batch)):
            raise EventsError("throttled")
        reached = list(self.broker.listeners(to))
        for connection, id in reached:
            self.listeners[connection].deliver(id, batch)
        return Published(to, len(batch), len(reached))

    def leave(self, connection: int) -> None:
        """A connection is over."""
        self.broker.leave(connection)
        self.listeners.pop(connection, None)

    def disorder(self, connection: int, channel: Channel) -> Disorder:
        """The way to a new subscription; connections count from 1, so a seed draws the same chances."""
        return Disorder(self.drop, self.reorder, Random(f"{self.seed} {connection} {channel}"))
