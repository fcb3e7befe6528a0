"""Connections to a target that wait for another request."""

import asyncio

from converse_hops.http.client import Outgoing


class WaitingConnections:
    """Each is closed after `idle` seconds. `late_fin`: that the target has closed one is not noticed."""

    def __init__(self, idle: float, late_fin: bool) -> None:
        self._idle = idle
        self._late_fin = late_fin
        self._waiting: dict[Outgoing, asyncio.TimerHandle] = {}

    def take(self) -> Outgoing | None:
        """The one that waits for the shortest time, if there is any."""
        while self._waiting:
            outgoing, timer = self._waiting.popitem()
            timer.cancel()
            if self._late_fin or not outgoing.left.done():
                return outgoing
            outgoing.close()
        return None

    def give(self, outgoing: Outgoing) -> bool:
        """Have it wait, if it can serve another request."""
        if not outgoing.renew(blindly=self._late_fin):
            return False
        timer = asyncio.get_running_loop().call_later(self._idle, self._expire, outgoing)
        self._waiting[outgoing] = timer
        return True

    def close(self) -> None:
        """Close all that wait."""
        for outgoing in list(self._waiting):
            self._expire(outgoing)

    def _expire(self, outgoing: Outgoing) -> None:
        self._waiting.pop(outgoing).cancel()
        outgoing.close()
