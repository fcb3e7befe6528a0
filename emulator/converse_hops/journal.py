"""The journal of a hop: its passages, the oldest dropped first."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import overload

from converse_hops.passage import Follower, Passage

MOST_PASSAGES = 1000
MOST_RECORDS = 100_000  # of all passages together; the newest passage is kept whatever its size


class Journal(Sequence[Passage]):
    """What passed through a hop so far, newest last. Any thread may look."""

    def __init__(self) -> None:
        self._passages: deque[Passage] = deque()
        self._count = 0
        self._follower: Follower | None = None
        self._changed = threading.Condition(threading.RLock())

    def open(self, about: str) -> Passage:
        """The passage of a request, or a connection, that just came in."""
        with self._changed:
            self._count += 1
            passage = Passage(self._count, about, self._changed, self._follower)
            self._passages.append(passage)
            self._forget()
            self._changed.notify_all()
        return passage

    @property
    def last(self) -> Passage:
        """The newest passage; raises `LookupError` if there is none."""
        with self._changed:
            if not self._passages:
                raise LookupError("nothing has passed through this hop yet")
            return self._passages[-1]

    def wait(self, until: Callable[["Journal"], bool], timeout: float = 10.0) -> None:
        """Return once `until(journal)` holds; raises `TimeoutError` with what there is.

        `until` may ask for the `last` passage before there is one: then it does not hold yet.
        """

        def holds() -> bool:
            with suppress(LookupError):
                return until(self)
            return False

        with self._changed:
            if not self._changed.wait_for(holds, timeout):
                raise TimeoutError(f"not within {timeout:g} s; the journal has:\n{self}")

    def follow(self, follower: Follower) -> None:
        """Have every record of passages to come told to this function, in the hop's thread."""
        self._follower = follower

    def clear(self) -> None:
        """Forget all passages."""
        with self._changed:
            self._passages.clear()

    def to_json(self) -> str:
        """All passages as a JSON array."""
        return json.dumps([passage.to_json() for passage in self])

    def __len__(self) -> int:
        return len(self._passages)

    @overload
    def __getitem__(self, index: int) -> Passage: ...
    @overload
    def __getitem__(self, index: slice) -> list[Passage]: ...
    def __getitem__(self, index: int | slice) -> Passage | list[Passage]:
        with self._changed:
            return list(self._passages)[index]

    def __iter__(self) -> Iterator[Passage]:
        return iter(self[:])

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def _forget(self) -> None:
        kept = sum(passage.kept for passage in self._passages)
        while len(self._passages) > MOST_PASSAGES or (kept > MOST_RECORDS and len(self._passages) > 1):
            kept -= self._passages.popleft().kept
