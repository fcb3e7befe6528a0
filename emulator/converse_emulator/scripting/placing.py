"""Steps that happen at a place of the response: found among the moments of a performance, and put there."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import assert_never

from converse_emulator.language import faults as fa
from converse_emulator.language import scenario as sc
from converse_emulator.playing import acts
from converse_emulator.scripting.performance import (
    Emit,
    Ending,
    Framed,
    Inserted,
    Moment,
    Pause,
    Performance,
    Raw,
)

KINDS = {
    "text": "text",
    "reasoningContent": "reasoning",
    "toolUse": "tool_use",
    "toolResult": "tool_result",
    "citation": "citation",
    "image": "image",
}
Silent = Callable[[Emit], bool]
AFTER_A_CUT = sc.Finish | sc.Hangup | sc.Reset | sc.Wait | sc.Gate


def place_all(
    performance: Performance, steps: Iterable[sc.Placed], rng: Random, silent: Silent | None
) -> Performance:
    """The performance with every step at its place."""
    stage = _Placing(performance.moments, rng, silent)
    by_byte: list[sc.Placed] = []
    nowhere: list[sc.Placed] = []
    for step in steps:
        if step.place.byte is not None:
            by_byte.append(step)
        elif not stage.place(step):
            nowhere.append(step)
    stage.swap()
    return performance._replace(moments=tuple(stage.moments), by_byte=tuple(by_byte), nowhere=tuple(nowhere))


class _Placing:
    def __init__(self, moments: Sequence[Moment], rng: Random, silent: Silent | None) -> None:
        self.moments = list(moments)
        self._rng = rng
        self._silent = silent
        self._frames: list[int] | None = None  # the indices of frames, while they are known
        self._is_broken = any(map(_is_broken, self.moments))

    def place(self, placed: sc.Placed) -> bool:
        """Whether there is such a place."""
        place = placed.place
        found = self._find(place, frame=isinstance(placed.step, fa.FrameFault))
        if found is None:
            return False
        at = found + place.after
        late = self._is_broken and any(map(_is_broken, self.moments[:at]))
        if late and not isinstance(placed.step, AFTER_A_CUT):
            return False  # it would be sent behind half a frame
        moment = self.moments[found].at if place.time is None else place.time
        match placed.step:
            case fa.Cut() | fa.Tear() as cut:
                self._befall(found, cut)
                self._end(found + 1, self._last(found))
            case fa.Corrupt() | fa.Drop() | fa.Duplicate() | fa.Swap() as fault:
                self._befall(found, fault)
            case sc.Wait(length):
                self._wait(at, moment, length, place.inside)
            case sc.Finish() | sc.Hangup() | sc.Reset() | fa.Trickle() as end:
                self._break(at, moment, ending(end), place.inside)
            case sc.Throw() as throw:
                self._end(at, Moment(moment, acts.Finish(), injected=True))
                self._insert(at, Moment(moment, throw, injected=True))
            case fa.Chunks() | fa.Drip() as delivery:
                self.moments[at:] = [reshaped(each, delivery) for each in self.moments[at:]]
            case sc.Gate() | sc.Event() | sc.Bytes() | fa.Unknown() | fa.Wild() | fa.GoAway() as inserted:
                self._insert(at, Moment(moment, _what(inserted), not isinstance(inserted, sc.Gate)))
            case sc.Refuse() | fa.HeadSays() | fa.Interim():
                raise AssertionError("the loader lets none of them be placed")
            case _ as never:
                assert_never(never)
        return True

    def swap(self) -> None:
        """Let frames change places that are to be swapped; the last one has nobody to swap with."""
        frames = self._found_frames()
        for here, there in pairwise(frames):
            if any(isinstance(fault, fa.Swap) for fault in self.moments[here].faults):
                one, other = self.moments[here], self.moments[there]
                kept = tuple(fault for fault in one.faults if not isinstance(fault, fa.Swap))
                self.moments[here] = other._replace(at=one.at, injected=True)
                self.moments[there] = one._replace(at=other.at, injected=True, faults=kept)

    # ------------------------------------------------------------------------------------- finding

    def _find(self, place: fa.Place, *, frame: bool) -> int | None:
        """The index of the moment that the place means."""
        frames = self._found_frames()
        if place.time is not None:
            later = (i for i, moment in enumerate(self.moments) if moment.at >= place.time)
            return next((i for i in later if not frame or i in frames), None)
        if place.fraction is not None:
            return frames[min(int(place.fraction * len(frames)), len(frames) - 1)] if frames else None
        number = place.number if place.frame is None else place.frame
        if place.event is not None or place.block is not None:
            tools = self._tools() if isinstance(place.block, str) else {}
            frames = [i for i in frames if _is(self.moments[i].what, place, tools)]
        index = number - 1 if number > 0 else number
        return frames[index] if -len(frames) <= index < len(frames) else None

    def _found_frames(self) -> list[int]:
        if self._frames is None:
            self._frames = [i for i, moment in enumerate(self.moments) if self._framed(moment.what)]
        return self._frames

    def _framed(self, what: object) -> bool:
        return isinstance(what, Framed) and not (
            isinstance(what, Emit) and self._silent is not None and self._silent(what)
        )

    def _tools(self) -> Mapping[object, str | None]:
        """The tool's name by the index of its block."""
        starts = (
            each.what.body
            for each in self.moments
            if isinstance(each.what, Emit) and each.what.type == "contentBlockStart"
        )
        return {body.get("contentBlockIndex"): _tool(body.get("start")) for body in starts}

    # ------------------------------------------------------------------------------------- putting

    def _befall(self, index: int, fault: fa.FrameFault | Pause) -> None:
        moment = self.moments[index]
        self.moments[index] = moment._replace(injected=True, faults=(*moment.faults, fault))
        self._is_broken |= isinstance(fault, fa.Cut | fa.Tear)

    def _insert(self, index: int, moment: Moment) -> None:
        self.moments.insert(index, moment)
        self._frames = None

    def _last(self, index: int) -> Moment:
        """The end that the reply has, now; what HTTP frames is torn, it cannot be a proper one."""
        moment, last = self.moments[index], self.moments[-1]
        if isinstance(last.what, acts.Finish) and any(isinstance(each, fa.Tear) for each in moment.faults):
            last = last._replace(what=acts.Hangup())
        return last._replace(at=moment.at, injected=True)

    def _end(self, index: int, end: Moment) -> None:
        self.moments[index:] = [end]
        self._frames = None

    def _break(self, index: int, moment: float, end: Ending, inside: fa.Depth | None) -> None:
        if inside is not None:
            self._befall(index, fa.Cut(inside))
            index += 1
        self._end(index, Moment(moment, end, injected=True))

    def _wait(
        self, index: int, moment: float, length: sc.Duration | sc.Forever, inside: fa.Depth | None
    ) -> None:
        if isinstance(length, sc.Forever):
            self._break(index, moment, acts.Hold(), inside)
            return
        if isinstance(length, sc.Span):
            length = self._rng.uniform(length.shortest, length.longest)
        if inside is not None:
            self._befall(index, Pause(inside, length))
            index += 1
        later = self.moments[index:]
        self.moments[index:] = [each._replace(at=max(each.at, moment) + length) for each in later]


def ending(step: sc.Finish | sc.Hangup | sc.Reset | fa.Trickle) -> Ending:
    """The end that the step is in a performance."""
    return step if isinstance(step, fa.Trickle) else act_of(step)


def act_of(step: sc.Finish | sc.Hangup | sc.Reset) -> acts.Finish | acts.Hangup | acts.Reset:
    """What the step is on the wire."""
    match step:
        case sc.Finish():
            return acts.Finish()
        case sc.Hangup(connection):
            return acts.Hangup(connection)
        case sc.Reset(code, connection):
            return acts.Reset(code, connection)


def insertion(step: fa.Wild | fa.GoAway | fa.Interim) -> Inserted:
    """What the step is on the wire."""
    match step:
        case fa.Wild(data):
            return acts.Raw(data, "bytes")
        case fa.GoAway(code):
            return acts.GoAway(code)
        case fa.Interim(status):
            return acts.Head(status, ())


def reshape(shape: acts.Shape | None, step: fa.Chunks | fa.Drip) -> acts.Shape:
    """How is sent what comes from this step on."""
    now = shape or acts.Shape()
    if isinstance(step, fa.Chunks):
        return now._replace(chunks=step.how)
    return now._replace(drip=step.bytes, every=step.every)


def reshaped(moment: Moment, step: fa.Chunks | fa.Drip) -> Moment:
    return moment._replace(shape=reshape(moment.shape, step))


def _what(step: "sc.Gate | sc.Event | sc.Bytes | fa.Unknown | fa.Wild | fa.GoAway") -> Framed | Inserted:
    match step:
        case sc.Gate(name):
            return acts.Gate(name)
        case sc.Event(name, body) | fa.Unknown(name, body):
            return Emit(name, body)
        case sc.Bytes(data):
            return Raw(data)
        case fa.Wild() | fa.GoAway():
            return insertion(step)


def _is_broken(moment: Moment) -> bool:
    """What is sent ends in its middle."""
    return any(isinstance(each, fa.Cut | fa.Tear) for each in (moment.what, *moment.faults))


def _is(what: object, place: fa.Place, tools: Mapping[object, str | None]) -> bool:
    """Whether the frame is of this event, in this block."""
    if place.event is not None and place.event not in _names(what):
        return False
    if place.block is None:
        return True
    if not isinstance(what, Emit):
        return False
    index = what.body.get("contentBlockIndex")
    return place.block == (tools.get(index) if isinstance(place.block, str) else index)


def _names(what: object) -> Iterator[str]:
    """What a place may call a frame."""
    match what:
        case Emit(name, body):
            yield name
            delta = body.get("delta") if name == "contentBlockDelta" else None
            yield from (KINDS[key] for key in delta or () if key in KINDS)
        case Raw():
            yield "bytes"
        case sc.Throw():
            yield "exception"


def _tool(start: object) -> str | None:
    if not isinstance(start, Mapping):
        return None
    return next((str(value["name"]) for value in start.values() if "name" in value), None)
