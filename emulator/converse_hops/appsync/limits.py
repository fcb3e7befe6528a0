"""What the service allows: quotas of Event APIs, and a rate that counts.

Source: the Service Quotas of AppSync, as listed in June 2025; the documentation's own table was not read.
"""

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, spans in seconds of the service's time (`speed` shortens them)."""

    events_per_publish: int = 5
    publish_bytes: int = 1_200_000
    event_bytes: int = 240_000  # one delivered message
    publishes_per_second: int = 25  # of one WebSocket connection
    events_per_second: int = 10_000  # of the API, inbound
    subscriptions: int = 200  # of one WebSocket connection
    keep_alive: float = 60.0  # between two `ka`
    connection_timeout: float = 300.0  # what `connection_ack` tells: how long a client waits for a `ka`
    longest_connection: float = 86_400.0


@dataclass(slots=True)
class Rate:
    """So many in any `span` of seconds, and no more."""

    most: int
    span: float
    _passed: deque[tuple[float, int]] = field(default_factory=deque)
    _sum: int = 0

    def admit(self, now: float, count: int = 1) -> bool:
        """Whether `count` more may pass now; those that may are counted."""
        while self._passed and self._passed[0][0] <= now - self.span:
            self._sum -= self._passed.popleft()[1]
        if self._sum + count > self.most:
            return False
        self._passed.append((now, count))
        self._sum += count
        return True
