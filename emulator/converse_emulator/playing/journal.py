"""The ground truth of what happened: the last exchanges, kept in memory, oldest dropped first.

Used in the loop of the plays only; other threads come in through `Server.call`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from converse_emulator.choosing.occasions import INVOCATION
from converse_emulator.choosing.request import Request
from converse_emulator.language.wrap import Wrap
from converse_emulator.playing.acts import Beat, Head, Raw, Send, Timeline, explain
from converse_emulator.playing.exchange import (
    Ended,
    Exchange,
    Performed,
    attempt_of,
    redacted,
)
from converse_emulator.playing.spoken import text_of_answer, text_of_stream

MOST_EXCHANGES = 1000
MOST_BYTES = 67_108_864  # of their bodies, 64 MiB; the newest exchange is kept whatever its size


class Recording:
    """An exchange while it happens. `exchange` is a picture of it as it is now."""

    def __init__(self, journal: "Journal", about: Exchange, origin: float) -> None:
        self.origin = origin  # the clock's reading when the request came
        self.size = 0  # bytes of the bodies of the request and of the planned response
        self._journal = journal
        self._about = about
        self._performed: list[tuple[Sequence[Beat], float]] = []
        self._tokens = 0

    @property
    def id(self) -> int:
        return self._about.id

    @property
    def session(self) -> str:
        return self._about.session

    @property
    def done(self) -> bool:
        return self._about.state == "done"

    @property
    def refused(self) -> bool:
        return self._about.ended == "refused"

    @property
    def tokens_sent(self) -> int:
        """Output tokens so far."""
        return sum(
            beat.act.tokens for beats, _ in self._performed for beat in beats if isinstance(beat.act, Send)
        )

    def chosen(
        self,
        scenario: str | None,
        chosen_by: str,
        seed: str = "",
        instead: int | None = None,
        wrap: Wrap | None = None,
    ) -> None:
        """What the request gets, and why."""
        self._about = replace(
            self._about,
            scenario=scenario,
            chosen_by=chosen_by,
            seed=seed,
            instead=instead,
            wrap=wrap.as_text() if wrap else None,
        )

    def missed(self, why: str) -> None:
        """Nothing fits the request."""
        self._about = replace(self._about, miss=why)

    def planned(self, timeline: Timeline) -> None:
        """What will be played."""
        self._tokens = timeline.tokens
        sends = (beat.act for beat in timeline.beats if isinstance(beat.act, Send))
        self._journal.grow(self, sum(len(send.data) for send in sends))

    def performed(self, beats: Sequence[Beat], actual: float) -> None:
        """These beats were performed in one go, `actual` seconds after the request."""
        self._performed.append((beats, actual))
        match beats[0].act:
            case Head(status) if status >= 200:
                self._about = replace(self._about, status=status)

    def ended(self, how: Ended, after: float) -> None:
        """The exchange ended; what is said first holds."""
        if not self.done:
            self._about = replace(self._about, state="done", ended=how, ended_at=after)
            self._journal.changed()

    def exchange(self) -> Exchange:
        """The exchange as far as it has come."""
        sends = [beat.act for beats, _ in self._performed for beat in beats if isinstance(beat.act, Send)]
        sent = self.tokens_sent
        text_of = text_of_stream if "Stream" in self._about.operation else text_of_answer
        return replace(
            self._about,
            acts=tuple(_told(beat, actual) for beats, actual in self._performed for beat in beats),
            tokens_sent=sent,
            tokens_unsent=self._tokens - sent,
            text_sent=text_of(send.data for send in sends),
        )


def _told(beat: Beat, actual: float) -> Performed:
    match beat.act:
        case Send(data, _, tokens):
            return Performed(beat.at, actual, explain(beat.act), beat.injected, len(data), tokens)
        case Raw(data):
            return Performed(beat.at, actual, explain(beat.act), beat.injected, len(data), 0)
        case _:
            return Performed(beat.at, actual, explain(beat.act), beat.injected, 0, 0)


class Journal:
    """The last exchanges of all sessions."""

    def __init__(self) -> None:
        self._recordings: deque[Recording] = deque()
        self._size = 0
        self._next = 1
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False

    def open(self, request: Request, size: int, origin: float) -> Recording:
        """Begin the recording of an exchange; `size` is the length of the request's body."""
        recording = Recording(self, _about(self._next, request), origin)
        self._next += 1
        self._recordings.append(recording)
        self.grow(recording, size)
        self.changed()
        return recording

    def grow(self, recording: Recording, size: int) -> None:
        """Note so many bytes more of an exchange; the oldest exchanges make room for them."""
        recording.size += size
        self._size += size
        while len(self._recordings) > 1 and self._full():
            self._size -= self._recordings.popleft().size

    def _full(self) -> bool:
        return len(self._recordings) > MOST_EXCHANGES or self._size > MOST_BYTES

    def recordings(self, session: str | None = None, after: int = 0) -> list[Recording]:
        """Oldest first; of one session or of all, with ids beyond `after`."""
        return [
            recording
            for recording in self._recordings
            if recording.id > after and session in (None, recording.session)
        ]

    async def wait(self, ready: Callable[[], bool], patience: float) -> bool:
        """Wait until `ready`, looked at whenever an exchange begins or ends; false if it is not in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not ready() and not self._closed:
                    await self._change()
        return ready()

    async def _change(self) -> None:
        change = asyncio.get_running_loop().create_future()
        self._waiting.add(change)
        try:
            await change
        finally:
            self._waiting.discard(change)

    def forget(self, session: str | None = None) -> None:
        """Drop the exchanges of one session, or all; ids go on."""
        kept = [] if session is None else [each for each in self._recordings if each.session != session]
        self._recordings = deque(kept)
        self._size = sum(recording.size for recording in kept)

    def close(self, now: float) -> None:
        """Nothing more will happen: what is open was stopped, and nobody needs to wait."""
        self._closed = True
        for recording in self._recordings:
            recording.ended("stopped", now - recording.origin)
        self.changed()

    def changed(self) -> None:
        """Let those who wait look again."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)


def _about(number: int, request: Request) -> Exchange:
    headers: Mapping[str, str] = request.headers
    return Exchange(
        id=number,
        session=request.session,
        operation=request.operation,
        model_id=request.model_id,
        invocation_id=headers.get(INVOCATION),
        attempt=attempt_of(headers),
        user_agent=headers.get("user-agent", ""),
        http_version=request.http_version,
        request={
            "headers": redacted(headers),
            "body": request.body if request.native is None else request.native,
        },
        scenario=None,
        chosen_by=None,
        instead=None,
        wrap=None,
        seed="",
        started_at=time.time(),
        status=None,
        acts=(),
        state="open",
        ended=None,
        ended_at=None,
        tokens_sent=0,
        tokens_unsent=0,
        text_sent="",
        miss=None,
    )
