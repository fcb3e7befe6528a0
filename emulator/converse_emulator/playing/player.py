"""Plays a timeline: each act on the wire at its moment, and what really happened into the record."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, assert_never

from converse_emulator.playing.acts import (
    Act,
    Beat,
    Ended,
    Finish,
    Gate,
    GoAway,
    Hangup,
    Head,
    Hold,
    Opened,
    Raw,
    Reset,
    Send,
    Timeline,
    Torn,
    payload,
)
from converse_emulator.playing.clock import Clock
from converse_emulator.playing.gates import Gates
from converse_emulator.playing.wire import ClientLeft, Wire

MOST_JOINED = 65_536  # bytes of one write: beyond this a slow reader must get the chance to slow us down
MOST_TOGETHER = 1_024  # beats of one write


class Record(Protocol):
    """Where the player notes what it did. `origin` is the clock's reading when the request came."""

    origin: float

    def performed(self, beats: Sequence[Beat], first: int, end: int, actual: float) -> None:
        """These of the beats were performed in one go, `actual` seconds after the request."""

    def ended(self, how: Ended, after: float) -> None:
        """The exchange ended, `after` seconds after the request."""


async def play(timeline: Timeline, wire: Wire, clock: Clock, gates: Gates, record: Record) -> None:
    """Perform all acts, then return; return early if the client leaves. Cancelled: it was stopped."""
    how: Ended = "stopped"
    try:
        async with _while_client_stays(wire):
            how = await _perform(timeline.beats, wire, clock, gates, record)
    except ClientLeft:
        how = "client left"
    finally:
        record.ended(how, clock.now() - record.origin)


async def _perform(beats: Sequence[Beat], wire: Wire, clock: Clock, gates: Gates, record: Record) -> Ended:
    """Perform the beats; says how the exchange ended."""
    origin = record.origin  # moves on by the time that gates hold
    status, done = 200, 0
    while done < len(beats):
        beat = beats[done]
        if _joins(beat.act):
            run = _Run(beats, done, origin, wire, record)
            await clock.drive(run, origin + beat.at)
            if run.done > done:
                done = run.done
                continue
        await clock.sleep_until(origin + beat.at)
        end, data = _due(beats, done, clock.now() - origin)
        match beat.act:
            case Head(status, headers) if data:
                await wire.begin(status, headers, data)
            case Head(status, headers):
                await wire.head(status, headers)
            case Send():
                if data:  # a frame that was left out is nothing
                    await wire.send(data)
            case Torn(act, at):
                await wire.tear(act, at)
            case Raw(data):
                await wire.raw(data)
            case GoAway(code):
                await wire.go_away(code)
            case Gate(name):
                reached = clock.now()
                await gates.wait(name)
                origin += clock.now() - reached
            case Hold(repeated, every):
                record.performed(beats, done, end, clock.now() - record.origin)
                if repeated:
                    await _repeat(beat._replace(act=repeated), every, origin, wire, clock, record)
                await wire.left
                raise ClientLeft
            case Finish():
                await wire.finish()
            case Hangup(connection):
                await wire.hangup(connection)
            case Reset(code, connection):
                await wire.reset(code, connection)
            case _ as never:
                assert_never(never)
        record.performed(beats, done, end, clock.now() - record.origin)
        beats, done = beats.after(end) if isinstance(beats, Opened) else (beats, end)
        del data  # it may be kept for as long as the next act takes to come
    return _ending(beats[-1].act, status)


class _Run:
    """Sends in a row, up to `done`: the clock takes them straight to the wire, and wakes nobody for it."""

    def __init__(self, beats: Sequence[Beat], first: int, origin: float, wire: Wire, record: Record) -> None:
        self.done = first
        self._end, self._chunk, self._sent = first, b"", False  # of this step
        self._beats = beats
        self._origin = origin
        self._wire = wire
        self._performed = record.performed
        self._recorded_from = record.origin

    def prepare(self, now: float) -> None:
        self._end, data = _due(self._beats, self.done, now - self._origin)
        self._chunk = data and self._wire.chunk(data)

    def act(self) -> None:
        self._sent = not self._chunk or self._wire.push(self._chunk)

    def note(self, now: float) -> float | None:
        """The moment of the next send; None if there is none, or the client is slow."""
        self._chunk = b""
        if not self._sent:
            return None
        beats, end = self._beats, self._end
        self._performed(beats, self.done, end, now - self._recorded_from)
        self.done = end
        if end == len(beats):
            return None
        following = beats[end]
        return self._origin + following.at if _joins(following.act) else None


async def _repeat(beat: Beat, every: float, origin: float, wire: Wire, clock: Clock, record: Record) -> None:
    """Perform the beat, and again and again."""
    while True:
        await clock.sleep_until(origin + beat.at)
        match beat.act:
            case Head(status, headers):
                await wire.head(status, headers)
            case Send(data):
                await wire.send(data)
            case Raw(data):
                await wire.raw(data)
        record.performed([beat], 0, 1, clock.now() - record.origin)
        beat = beat._replace(at=beat.at + every)


def _due(beats: Sequence[Beat], first: int, now: float) -> tuple[int, bytes]:
    """Where that ends which is done in one go, and its bytes of the body: the first beat; if it sends or is a
    head that a body follows, also the sends that are due."""
    act = beats[first].act
    data, end = payload(act), first + 1
    if end == len(beats) or beats[end].at > now or not (_joins(act) or _opens(act)):
        return end, data
    datas, size = [data], len(data)
    for beat in beats[end : end + MOST_TOGETHER]:  # when much is overdue, this is where the time goes
        act = beat.act
        if beat.at > now or type(act) is not Send or act.alone or size >= MOST_JOINED:
            break
        datas.append(act.data)
        size += len(act.data)
    return first + len(datas), b"".join(datas)


def _joins(act: Act) -> bool:
    return type(act) is Send and not act.alone


def _opens(act: Act) -> bool:
    return type(act) is Head and act.status >= 200


def _ending(last: Act, status: int) -> Ended:
    match last:
        case Hangup():
            return "hung up"
        case Reset():
            return "reset"
        case _:
            return "refused" if status >= 400 else "finished"


@asynccontextmanager
async def _while_client_stays(wire: Wire) -> AsyncIterator[None]:
    """Interrupt what happens inside once the client is gone, wherever it waits."""
    inside = True
    try:
        async with asyncio.timeout(None) as stay:

            def interrupt(_: "asyncio.Future[None]") -> None:
                if inside:  # the end may come in the same turn of the loop
                    stay.reschedule(0)

            wire.left.add_done_callback(interrupt)
            try:
                yield
            finally:
                inside = False
                wire.left.remove_done_callback(interrupt)
    except TimeoutError:
        raise ClientLeft from None
