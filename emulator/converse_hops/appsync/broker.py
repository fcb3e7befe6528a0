"""Who listens to what, and which events a publish may bring. Nothing is kept: who comes late gets nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from converse_hops.appsync.channels import BadChannel, Channel
from converse_hops.appsync.errors import EventsError
from converse_hops.appsync.limits import Limits


@dataclass(slots=True)
class Broker:
    """The namespaces and subscriptions of an API. Connections are told apart by numbers."""

    namespaces: frozenset[str]
    limits: Limits
    _subscriptions: dict[int, dict[str, Channel]] = field(default_factory=dict)

    def channel(self, name: object, *, wildcard: bool = False) -> Channel:
        """The channel of that name, in a namespace that there is; raises `EventsError`."""
        try:
            channel = Channel.read(name, wildcard=wildcard)
        except BadChannel as error:
            raise EventsError("bad_request", error) from error
        if channel.namespace not in self.namespaces:
            there = ", ".join(sorted(self.namespaces))
            raise EventsError(
                "not_found", f"there is no channel namespace {channel.namespace}; there is {there}"
            )
        return channel

    def events(self, given: object) -> tuple[str, ...]:
        """The events of a publish; raises `EventsError` unless they are a few texts with JSON in them."""
        most = self.limits.events_per_publish
        if not isinstance(given, list) or not 1 <= len(given) <= most:
            raise EventsError("bad_request", f"events must be a list of 1 to {most}")
        for place, event in enumerate(given):
            if not _is_json(event):
                raise EventsError("bad_request", f"events[{place}] must be a string that holds JSON")
        return tuple(given)

    def check(self, connection: int, id: str) -> None:
        """Raise `EventsError` unless this connection may have a further subscription with this id."""
        own = self._subscriptions.get(connection, {})
        if id in own:
            raise EventsError("duplicate_id", id)
        if len(own) >= self.limits.subscriptions:
            raise EventsError("most_subscriptions", self.limits.subscriptions)

    def subscribe(self, connection: int, id: str, channel: Channel) -> None:
        """From now on events go there."""
        self._subscriptions.setdefault(connection, {})[id] = channel

    def unsubscribe(self, connection: int, id: str) -> None:
        """Raises `EventsError` for an id that is not subscribed."""
        if self._subscriptions.get(connection, {}).pop(id, None) is None:
            raise EventsError("unknown_id", id)

    def leave(self, connection: int) -> None:
        """The connection is gone."""
        self._subscriptions.pop(connection, None)

    def listeners(self, channel: Channel) -> Iterator[tuple[int, str]]:
        """The connections and the ids of the subscriptions that get what is published there."""
        for connection, own in self._subscriptions.items():
            yield from ((connection, id) for id, subscribed in own.items() if subscribed.covers(channel))


@dataclass(slots=True)
class Disorder:
    """What a network may do to one subscription: lose events, and let the next one overtake.

    No order and no delivery is promised by the service, so this is allowed, if rare. `drop` and `reorder` are
    probabilities of each event.
    """

    drop: float
    reorder: float
    chance: Random
    _held: list[str] = field(default_factory=list)

    def feed(self, event: str) -> list[str]:
        """The events that get through now, in this order."""
        if self.chance.random() < self.drop:
            return []
        if not self._held and self.chance.random() < self.reorder:
            self._held.append(event)
            return []
        return [event, *self.flush()]

    def flush(self) -> list[str]:
        """What was held back, since nothing came to overtake it."""
        held, self._held = self._held, []
        return held


def _is_json(event: object) -> bool:
    try:
        json.loads(event if isinstance(event, str) else "")
    except (ValueError, RecursionError):
        return False
    return True
