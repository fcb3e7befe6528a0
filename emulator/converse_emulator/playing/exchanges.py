"""The exchanges of a session as a sequence, for the threads of a test."""

from collections.abc import Callable, Sequence
from typing import overload

from converse_emulator.playing.exchange import Exchange
from converse_emulator.playing.journal import Journal
from converse_emulator.playing.outages import Outage
from converse_emulator.playing.recording import Recording
from converse_emulator.server import Server


class Exchanges(Sequence[Exchange]):
    """All exchanges of a session so far, newest last. A live view: what it gives out are pictures."""

    def __init__(self, server: Server, journal: Journal, session: str | None) -> None:
        self._server = server
        self._journal = journal
        self._session = session

    @property
    def last(self) -> Exchange:
        """The newest exchange; raises `LookupError` if there is none."""
        if not self:
            raise LookupError(f"no request has come in yet for {self._whose}")
        return self[-1]

    @property
    def outages(self) -> list[Outage]:
        """The outages of the whole server, whatever the session, newest last."""
        return self._server.call(self._journal.outages.all)

    def wait(self, count: int = 1, timeout: float = 5.0) -> list[Exchange]:
        """All exchanges, once there are `count` of them and all have ended; raises `TimeoutError`."""

        def ended() -> bool:
            found = self._recordings()
            return len(found) >= count and all(recording.done for recording in found)

        if self._server.running:
            self._server.run(self._journal.wait(ended, timeout))
        exchanges = self._server.call(lambda: [recording.exchange() for recording in self._recordings()])
        done = sum(exchange.state == "done" for exchange in exchanges)
        if done < max(count, len(exchanges)):
            raise TimeoutError(
                f"waited {timeout:g} s for {count} ended exchanges of {self._whose}; "
                f"there are {done}, and {len(exchanges) - done} still open"
            )
        return exchanges

    def __len__(self) -> int:
        return len(self._server.call(self._recordings))

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> list[Exchange]: ...
    def __getitem__(self, index: int | slice) -> Exchange | list[Exchange]:
        if isinstance(index, slice):
            return self._pictures(lambda found: found[index])
        return self._pictures(lambda found: [found[index]])[0]

    def __repr__(self) -> str:
        return f"<{len(self)} exchanges of {self._whose}>"

    def _pictures(self, choose: Callable[[list[Recording]], list[Recording]]) -> list[Exchange]:
        return self._server.call(lambda: [recording.exchange() for recording in choose(self._recordings())])

    def _recordings(self) -> list[Recording]:
        return self._journal.recordings(self._session)

    @property
    def _whose(self) -> str:
        return "any session" if self._session is None else f"session {self._session!r}"
