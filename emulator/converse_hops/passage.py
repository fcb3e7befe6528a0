"""What passed through a hop when: the record of one request, or of one WebSocket connection.

Everything either came in or went out, on its way up (client to origin) or down (origin to client):

                 client            hop            origin
    up           ── received ──▶        ── passed ──▶
    down         ◀── passed ──          ◀── received ──

So `held("down")` tells where a stream is buffered: bytes that the hop had from its origin and had not
passed on.
Sizes are bytes of bodies and messages, without heads and framing, so that the two sides compare.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

Direction = Literal["up", "down"]
What = Literal["received", "passed", "left", "cut", "failed", "ended"]

MOST_RECORDS = 10_000  # of one passage; the oldest are dropped first, the totals stay exact


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened, `at` seconds of `time.monotonic()`: one clock for all hops of a machine.

    `left`: the client closed its side. `cut`: a limit was up, `detail` says which. `failed`: something broke.
    `ended`: all was passed on.
    """

    at: float
    direction: Direction
    what: What
    size: int = 0
    detail: str = ""


class Passage:
    """One request on its way through a hop. What it gives out are pictures; any thread may ask."""

    def __init__(
        self, number: int, about: str, changed: threading.Condition, follower: "Follower | None" = None
    ) -> None:
        self.number = number  # of the hop's requests, from 1
        self.about = about  # as `POST /chat`
        self.dropped = 0  # records that are no longer kept
        self._changed = changed
        self._follower = follower
        self._records: deque[Record] = deque()
        self._totals: dict[tuple[Direction, What], int] = {}

    def note(self, direction: Direction, what: What, size: int = 0, detail: str = "") -> None:
        """Something happened, now."""
        record = Record(time.monotonic(), direction, what, size, detail)
        with self._changed:
            if len(self._records) == MOST_RECORDS:
                self._records.popleft()
                self.dropped += 1
            self._totals[direction, what] = self._totals.get((direction, what), 0) + size
            self._records.append(record)
            self._changed.notify_all()
        if self._follower:
            self._follower(self, record)

    @property
    def kept(self) -> int:
        """How many records are kept."""
        return len(self._records)

    @property
    def records(self) -> tuple[Record, ...]:
        """Everything so far, in order."""
        with self._changed:
            return tuple(self._records)

    def of(self, what: What, direction: Direction = "down") -> list[Record]:
        """The records of one kind."""
        return [each for each in self.records if (each.direction, each.what) == (direction, what)]

    def happened(self, what: What) -> bool:
        """Whether there is such a record, in either direction."""
        return any(each.what == what for each in self.records)

    def total(self, what: What, direction: Direction = "down") -> int:
        """The bytes of all records of one kind."""
        return self._totals.get((direction, what), 0)

    def held(self, direction: Direction = "down") -> int:
        """Bytes that came in and have not gone out."""
        return self.total("received", direction) - self.total("passed", direction)

    def to_json(self) -> dict[str, object]:
        """All of it, as `json.dumps` takes it."""
        records = [asdict(record) for record in self.records]
        return {"number": self.number, "about": self.about, "dropped": self.dropped, "records": records}

    def __str__(self) -> str:
        had, passed = self.total("received"), self.total("passed")
        records = self.records
        lines = [f"{self.about}: had {had} bytes from its origin and passed on {passed}"]
        for each in records:
            arrow = "▲" if each.direction == "up" else "▼"
            at = each.at - records[0].at
            lines.append(f"  {at:8.3f} s {arrow} {each.what} {each.size} {each.detail}".rstrip())
        return "\n".join(lines)


Follower = Callable[[Passage, Record], None]
