"""One exchange while it happens: cheap notes, from which a picture is made when somebody looks."""

import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from converse_emulator.choosing.request import INVOCATION, Request
from converse_emulator.language.scenario import Json
from converse_emulator.playing.acts import Beat, Ended, Head, Send, Timeline, Whole

if TYPE_CHECKING:
    from converse_emulator.language.wrap import Wrap
    from converse_emulator.playing.exchange import Exchange


class Recording:
    """What is noted of an exchange. `exchange` is a picture of it as it is now.

    `grown` is told how many bytes more it keeps, `changed` that it has ended.
    """

    __slots__ = (
        "_at_once",
        "_before",
        "_changed",
        "_chosen_by",
        "_ended",
        "_ended_at",
        "_first",
        "_grown",
        "_instead",
        "_late",
        "_miss",
        "_playing",
        "_request",
        "_scenario",
        "_seed",
        "_started_at",
        "_status",
        "_tokens",
        "_unfolded",
        "_until",
        "_wrap",
        "id",
        "origin",
        "size",
    )

    def __init__(
        self,
        number: int,
        request: Request,
        origin: float,
        grown: "Callable[[Recording, int], None]",
        changed: Callable[[], None],
    ) -> None:
        self.id = number
        self.origin = origin  # the clock's reading when the request came
        self.size = 0  # bytes of the bodies of the request and of the planned response
        self._request = request
        self._started_at = time.time()
        self._grown = grown
        self._changed = changed
        self._scenario: str | None = None
        self._chosen_by: str | None = None
        self._instead: int | None = None
        self._wrap: Wrap | None = None
        self._seed = ""
        self._miss: str | None = None
        self._status: int | None = None
        self._ended: Ended | None = None
        self._ended_at: float | None = None
        self._tokens = 0  # of the whole answer
        # What was performed: the beats of one sequence from one place to another, and others before them.
        self._before: list[Beat] = []
        self._playing: Sequence[Beat] = ()
        self._first = self._until = 0
        self._late = array("f")  # seconds after its moment, of each
        self._unfolded: Callable[[], Timeline] | None = None  # the whole of what was sent at once
        self._at_once = 0.0

    @property
    def session(self) -> str:
        return self._request.session

    @property
    def done(self) -> bool:
        return self._ended is not None

    @property
    def refused(self) -> bool:
        return self._ended == "refused"

    @property
    def tokens_sent(self) -> int:
        """Output tokens so far."""
        return sum(beat.act.tokens for beat in self._performed()[0] if isinstance(beat.act, Send))

    def chosen(
        self,
        scenario: str | None,
        chosen_by: str,
        seed: str = "",
        instead: int | None = None,
        wrap: "Wrap | None" = None,
    ) -> None:
        """What the request gets, and why."""
        self._scenario, self._chosen_by, self._seed = scenario, chosen_by, seed
        self._instead, self._wrap = instead, wrap

    def missed(self, why: str) -> None:
        """Nothing fits the request."""
        self._miss = why

    def planned(self, reply: Timeline | Whole) -> None:
        """What will be played, after what was planned before."""
        self._tokens += reply.tokens
        self._grown(self, reply.size)

    def sent(self, whole: Whole, actual: float) -> None:
        """All of the reply was performed in one go, and so the exchange has ended."""
        self._unfolded, self._at_once = whole.unfolded, actual
        self._status = whole.head.status
        self.ended("refused" if whole.head.status >= 400 else "finished", actual)

    def performed(self, beats: Sequence[Beat], first: int, end: int, actual: float) -> None:
        """These of the beats were performed in one go, `actual` seconds after the request."""
        if beats is not self._playing or first != self._until:
            self._before += self._playing[self._first : self._until]
            self._playing, self._first = beats, first
        self._until = end
        if end == first + 1:
            self._late.append(actual - beats[first].at)
        else:
            self._late.extend([actual - beat.at for beat in beats[first:end]])
        if self._status is None and isinstance(head := beats[first].act, Head) and head.status >= 200:
            self._status = head.status

    def ended(self, how: Ended, after: float) -> None:
        """The exchange ended; what is said first holds."""
        if self._ended is None:
            self._ended, self._ended_at = how, after
            self._changed()

    def exchange(self, *, data: bool = False) -> "Exchange":
        """The exchange as far as it has come; with `data`, each act to the byte."""
        from converse_emulator.playing import exchange, spoken  # for those who look

        request = self._request
        headers = exchange.redacted(request.headers)
        sent = self.tokens_sent
        beats, actual = self._performed()
        tell = exchange.performed_to_the_byte if data else exchange.performed
        sends = [beat.act.data for beat in beats if isinstance(beat.act, Send)]
        return exchange.Exchange(
            id=self.id,
            session=request.session,
            operation=request.operation,
            model_id=request.model_id,
            invocation_id=headers.get(INVOCATION),
            attempt=exchange.attempt_of(headers),
            user_agent=headers.get("user-agent", ""),
            http_version=request.http_version,
            request=_asked(request, headers),
            scenario=self._scenario,
            chosen_by=self._chosen_by,
            instead=self._instead,
            wrap=self._wrap.as_text() if self._wrap else None,
            seed=self._seed,
            started_at=self._started_at,
            status=self._status,
            acts=tuple(map(tell, beats, actual)),
            state="open" if self._ended is None else "done",
            ended=self._ended,
            ended_at=self._ended_at,
            tokens_sent=sent,
            tokens_unsent=self._tokens - sent,
            text_sent=spoken.text_of(request.operation, sends),
            miss=self._miss,
        )

    def _performed(self) -> tuple[Sequence[Beat], Sequence[float]]:
        if self._unfolded is not None:
            whole = self._unfolded().beats
            return whole, [self._at_once] * len(whole)
        beats = [*self._before, *self._playing[self._first : self._until]]
        return beats, [beat.at + late for beat, late in zip(beats, self._late, strict=True)]


def _asked(request: Request, headers: Mapping[str, str]) -> dict[str, Json]:
    return {"headers": headers, "body": request.body if request.native is None else request.native}
