"""Performs a reply for a request: steps and limits become timed events, gates, faults and an end.

Time is the scripted time in seconds from the request, gates not counted. The first delta comes at once, each
further one `every` later, across steps; waits add. Before the first event nothing is sent, not even headers.

Limits of the request end the generation: later content, pace and ends are dropped, faults stay. An exception
or a cut frame ends what can be sent: later content is dropped, pace still counts, and a connection step says
how the response ends (without one: properly). Steps with a place of their own are put there at last.
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import assert_never

from converse_emulator.choosing.request import Request
from converse_emulator.language import faults as fa
from converse_emulator.language.order import bytes_alone, carries_frame, last_of, refusal_alone, says_the_end
from converse_emulator.language.scenario import (
    Bytes,
    Citation,
    Content,
    Duration,
    End,
    Event,
    Every,
    Fault,
    Finish,
    Forever,
    Gate,
    Hangup,
    Image,
    Json,
    Metadata,
    Pace,
    Placed,
    Reasoning,
    Refuse,
    Reply,
    Reset,
    Span,
    Split,
    SplitBy,
    Step,
    Stop,
    Text,
    Throw,
    ToolResult,
    ToolUse,
    Usage,
    Wait,
)
from converse_emulator.playing import acts
from converse_emulator.scripting.composing import EMPTY_TEXT, Block, Composed, Composer
from converse_emulator.scripting.implied import Implied
from converse_emulator.scripting.limits import limits_of, stop_point
from converse_emulator.scripting.performance import Emit, Ending, Moment, Performance, Raw, text_of
from converse_emulator.scripting.placing import ending, insertion, place_all, reshape
from converse_emulator.scripting.tokens import count
from converse_emulator.scripting.usage import Said, metadata


def perform(
    reply: Reply, request: Request, rng: Random, *, silent: Callable[[Emit], bool] | None = None
) -> Performance:
    """What happens when the model answers `request` with `reply`; chance comes from `rng`.

    `silent` tells the events that make no frame where they are sent, so that nothing can befall them.
    """
    placed = [step for step in reply if isinstance(step, Placed)]
    heads = [step for step in reply if isinstance(step, fa.HeadSays)]
    in_turn = tuple(step for step in reply if not isinstance(step, Placed | fa.HeadSays))
    stage = _Stage(refusal_alone(in_turn), request, rng, silent)
    stage.play()
    played = Performance(tuple(stage.moments), stage.stop_sequence, heads[-1] if heads else None)
    return place_all(played, placed, rng, silent)


class _Stage:
    def __init__(
        self, reply: Reply, request: Request, rng: Random, silent: Callable[[Emit], bool] | None
    ) -> None:
        self.moments: list[Moment] = []
        self.stop_sequence: str | None = None
        self._reply = reply
        self._request = request
        self._rng = rng
        self._silent = silent
        self._limits = limits_of(request.body)
        self._stop_point = stop_point(reply, self._limits.stop_sequences)
        self._composer = Composer(request, rng)
        self._implied = Implied()
        self._now = 0.0
        self._every: Duration = 0.0
        self._split: Split | None = None
        self._spoken = False  # the first delta has come
        self._trailing = False  # an empty delta comes after the text that is open, if the model ends here
        self._reason = ""  # the stop reason, once it was said
        self._tokens = 0
        self._characters = 0  # of text
        self._bytes_alone = bytes_alone(reply)
        self._last_end = last_of(reply, says_the_end)
        self._last_frame = last_of(reply, carries_frame)
        self._limited: str | None = None  # the stop reason, once a limit has ended the generation
        self._broken = False  # an exception or a cut frame: no frame can follow
        self._ended = False
        self._faults: tuple[fa.FrameFault, ...] = ()  # what befalls the next frame
        self._shape: acts.Shape | None = None
        self._usage: dict[str, Json] = {}
        self._members: dict[str, Json] = {}

    def play(self) -> None:
        for number, step in enumerate(self._reply):
            self._step(number, step)
            if self._ended:
                return
        self._complete()
        self._end(acts.Hangup() if self._torn else acts.Finish(), injected=self._broken)

    @property
    def _torn(self) -> bool:
        """What HTTP frames is torn, so that the response cannot end properly."""
        befallen = (each for moment in self.moments for each in (moment.what, *moment.faults))
        return any(isinstance(each, fa.Tear) for each in befallen)

    def _step(self, number: int, step: Step) -> None:
        if isinstance(step, Content | End):
            if not self._limited and not self._broken:
                self._say(number, step)
        elif isinstance(step, Pace):
            if not self._limited:
                self._pace(step)
        elif not isinstance(step, Placed):
            self._fault(number, step)

    def _say(self, number: int, step: Content | End) -> None:
        match step:
            case Text() | Reasoning() | ToolUse() | ToolResult() | Citation() | Image():
                self._content(number, step)
            case Event():
                self._literal(number, step)
            case Bytes(data):
                self._tick(None)
                self._emit(Raw(data), injected=self._request.native is None)
            case Stop(reason, fields):
                self._trail(reason)
                self._emit_all(self._implied.end(reason, fields))
            case Usage(members):
                self._usage |= members
            case Metadata(members):
                self._members |= members
            case _ as never:
                assert_never(never)

    def _content(self, number: int, step: Composed) -> None:
        if (stop := self._stop_point) and number == stop.step:
            self._limited, self.stop_sequence = "stop_sequence", stop.sequence
            step = stop.text
            if not stop.text.text:
                return
        every, how = None, self._split
        if isinstance(step, Text | Reasoning | ToolUse):
            every, how = step.every, step.split or how
        most = self._limits.max_tokens
        room = None if most is None else max(0, most - self._tokens)
        literal = isinstance(step, Text) and isinstance(how, tuple)
        block = self._composer.block(step, how, room)
        if block.full:
            self._limited = "max_tokens"
        if self._composer.habits.leads and not self._implied.started and not literal and block.deltas:
            self._deltas(EMPTY_TEXT, 0.0)
            self._spoken = False  # what follows comes at the same time
        self._deltas(block, every)
        self._trailing = not literal

    def _deltas(self, block: Block, every: Duration | None) -> None:
        index = -1
        for delta in block.deltas:
            self._tick(every)
            if index < 0:
                due, index = self._implied.before_block(block)
                self._emit_all(due)
            body = {"contentBlockIndex": index, "delta": delta.body}
            self._emit(Emit("contentBlockDelta", body, delta.tokens))

    def _trail(self, reason: str) -> None:
        """The empty delta that some models send where they end an answer themselves."""
        if self._composer.habits.trails and self._trailing and reason == "end_turn":
            index = self._implied.open_text
            if index is not None:
                body = {"contentBlockIndex": index, "delta": {"text": ""}}
                self._emit(Emit("contentBlockDelta", body))

    def _literal(self, number: int, event: Event, *, injected: bool = False) -> None:
        if event.type == "contentBlockDelta":
            self._tick(None)
        self._emit_all(self._implied.before_literal(event, last_words=self._last_end <= number))
        self._emit(Emit(event.type, event.body, count(text_of(event))), injected=injected)

    def _complete(self) -> None:
        """What the message still lacks."""
        if self._bytes_alone:
            return
        reason = self._limited or self._implied.usual_reason
        if not self._implied.stopped:
            self._trail(reason)
        self._emit_all(self._implied.rest(reason))
        if not self._implied.finished:
            said = Said(self._tokens, self._now, self._reason, self._characters)
            self._emit(Emit("metadata", metadata(self._request, said, self._usage, self._members)))

    def _pace(self, step: Pace) -> None:
        match step:
            case Wait(duration):
                if isinstance(duration, Forever):
                    self._end(acts.Hold(), injected=True)
                else:
                    self._now += self._drawn(duration)
            case Every(duration):
                self._every = duration
            case SplitBy(how):
                self._split = how
            case Gate(name):
                self.moments.append(Moment(self._now, acts.Gate(name)))
            case _ as never:
                assert_never(never)

    def _fault(self, number: int, step: Fault) -> None:
        match step:
            case Throw():
                self._emit(step, injected=True)
                self._broken = True
            case fa.Corrupt() | fa.Drop() | fa.Duplicate() | fa.Swap():
                self._faults += (step,)
            case fa.Tear(head=True):
                self.moments.append(Moment(self._now, step, injected=True))
                self._broken = True
            case fa.Cut() | fa.Tear():
                self._faults += (step,)
                if self._last_frame <= number:
                    self._complete()  # no other frame is to come, so it is the next implied one, now
            case fa.Unknown(name, body):
                self._literal(number, Event(name, body), injected=True)
            case fa.Wild() | fa.GoAway() | fa.Interim():
                self.moments.append(Moment(self._now, insertion(step), injected=True))
            case fa.Chunks() | fa.Drip():
                self._shape = reshape(self._shape, step)
            case Refuse():
                self._end(step, injected=True)
            case Finish() | Hangup() | Reset() | fa.Trickle():
                self._end(ending(step), injected=True)
            case fa.HeadSays():
                raise AssertionError("it says nothing that happens in turn")
            case _ as never:
                assert_never(never)

    def _emit_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self._emit(Emit(event.type, event.body))

    def _emit(self, what: Emit | Raw | Throw, *, injected: bool = False) -> None:
        if self._broken:
            return
        if isinstance(what, Emit):
            self._tokens += what.tokens
            self._characters += len(text_of(what))
            if what.type == "messageStop":
                self._reason = str(what.body.get("stopReason"))
            if self._silent and self._silent(what):
                self.moments.append(Moment(self._now, what))
                return
        injected |= bool(self._faults)
        self.moments.append(Moment(self._now, what, injected, self._faults, self._shape))
        self._broken = any(isinstance(fault, fa.Cut | fa.Tear) for fault in self._faults)
        self._faults = ()

    def _end(self, how: Ending, *, injected: bool) -> None:
        if any(isinstance(fault, fa.Cut | fa.Tear) for fault in self._faults):
            self._complete()
        self.moments.append(Moment(self._now, how, injected, shape=self._shape))
        self._ended = True

    def _tick(self, every: Duration | None) -> None:
        """The time before the next delta."""
        if self._spoken and not self._broken:
            self._now += self._drawn(self._every if every is None else every)
        self._spoken = True

    def _drawn(self, duration: Duration) -> float:
        if isinstance(duration, Span):
            return self._rng.uniform(duration.shortest, duration.longest)
        return duration
