"""Gates: places where a play holds until somebody outside says go on.

Every opening lets one play pass. An opening that comes before the play is kept for it, so the order of
the two does not matter; `gate: next` may stand between any two words of a reply.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_GATES = 10_000  # that were opened and not yet reached, of all sessions
MOST_OPENINGS = 1000  # kept for one gate


class TooManyOpenings(ValueError):
    """More openings than anybody will ever reach: surely a mistake in the test."""


@dataclass(slots=True, eq=False, repr=False)
class _Gate:
    openings: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    kept: int = 0
    waiting: int = 0


class Gates:
    """The gates of one session. To be used in the loop of the plays only."""

    def __init__(self, session: str = "", of_all: dict[tuple[str, str], _Gate] | None = None) -> None:
        self._session = session
        self._gates: dict[tuple[str, str], _Gate] = {} if of_all is None else of_all

    def of(self, session: str) -> "Gates":
        """The gates of another session."""
        return Gates(session, self._gates)

    def open(self, name: str) -> None:
        """Let one play pass: the one that waits longest, else the next that comes."""
        gate = self._gates.get((self._session, name))
        if gate is None:
            if len(self._gates) >= MOST_GATES:
                raise TooManyOpenings(f"gate {name!r}: {MOST_GATES} gates are open and nobody came")
            gate = self._gate(name)
        if gate.kept >= gate.waiting + MOST_OPENINGS:
            raise TooManyOpenings(f"gate {name!r} was opened {MOST_OPENINGS} times and nobody came")
        gate.kept += 1
        gate.openings.release()

    async def wait(self, name: str) -> None:
        """Hold until the gate is opened."""
        gate = self._gate(name)
        gate.waiting += 1
        try:
            await gate.openings.acquire()
            gate.kept -= 1
        finally:
            gate.waiting -= 1
            if not gate.waiting and not gate.kept:
                self._gates.pop((self._session, name), None)

    def forget(self, *, everywhere: bool = False) -> None:
        """Drop the openings that nobody used, or those of all sessions; who waits goes on waiting."""
        for (session, name), gate in list(self._gates.items()):
            if not gate.waiting and (everywhere or session == self._session):
                del self._gates[session, name]

    def listing(self) -> list[dict[str, object]]:
        """What waits and what is open, by name: `{"name", "waiting", "opened"}`."""
        by_name = sorted(self._own(), key=lambda each: each[0])
        return [{"name": name, "waiting": gate.waiting, "opened": gate.kept} for name, gate in by_name]

    def _gate(self, name: str) -> _Gate:
        return self._gates.setdefault((self._session, name), _Gate())

    def _own(self) -> Iterator[tuple[str, _Gate]]:
        return ((name, gate) for (session, name), gate in self._gates.items() if session == self._session)
