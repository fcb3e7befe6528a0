"""One session on a connection: hear, and when it is the model's turn, speak, while the client may go on.

What comes in while the model speaks is heard when it has finished: nobody interrupts it.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from random import Random
from typing import TYPE_CHECKING

from converse_emulator.choosing.request import INVOCATION, Request
from converse_emulator.choosing.selection import Selection
from converse_emulator.dialogue.compiling import compile_turn
from converse_emulator.dialogue.hearing import Hearing, Turn
from converse_emulator.dialogue.inbound import BadInput, Inbound, Verify
from converse_emulator.dialogue.sonic import Speech, Voice
from converse_emulator.dialogue.tap import Tap
from converse_emulator.errors import EmulatorError, Miss
from converse_emulator.framing.frames import exception_frame
from converse_emulator.http.refusals import ServiceError
from converse_emulator.language.scenario import Json, Refuse, Reply
from converse_emulator.playing.acts import Beat, Ended, Finish, Hangup, Hold, Reset, Send, Timeline
from converse_emulator.playing.player import play
from converse_emulator.playing.recording import Recording
from converse_emulator.playing.wire import Wire
from converse_emulator.scripting.script import perform
from converse_emulator.spelling.delivery import Delivery
from converse_emulator.spelling.streaming import stream_beats
from converse_emulator.spelling.wrapping import wrapped

if TYPE_CHECKING:
    from converse_emulator.app import DataPlane
    from converse_emulator.language.wrap import Wrap

OPERATION = "InvokeModelWithBidirectionalStream"
_ENDS = Finish | Hangup | Reset | Hold


class Session:
    """`heard` is where the journal keeps what came in."""

    def __init__(
        self,
        plane: "DataPlane",
        request: Request,
        recording: Recording,
        heard: list[Json],
        tap: Tap,
        wire: Wire,
        verify: Verify | None,
    ) -> None:
        self._plane = plane
        self._request = _as_one_call(request, recording)
        self._recording = recording
        self._heard = heard
        self._tap = tap
        self._wire = wire
        self._inbound = Inbound(verify)
        self._hearing = Hearing()
        self._chosen: Selection | None = None  # for the first turn, if it had to be known before
        seed = f"{plane.seed}:{request.session}:dialogue:{recording.id}"
        self._rng = Random(seed)
        self._voice = Voice(self._rng)

    async def run(self) -> None:
        """Until either side has ended it."""
        if self._plane.selector.may_refuse(self._request):
            self._chosen = self._select(self._request)
            if reply := self._refusal(self._chosen):
                beats = self._refused(reply, self._wrap(self._chosen))
                await self._play(Timeline(tuple(beats), 0), last=True)
                return
        await self._play(Timeline((Beat(0.0, self._delivery().stream_head(0.0)),), 0))
        try:
            async with aclosing(self._events()) as events:
                async for name, members in events:
                    turn = self._hearing.hear(name, members)
                    if turn and await self._speak(turn):
                        return
                    if name == "sessionEnd":
                        break
        except (BadInput, EmulatorError, ServiceError) as error:
            if isinstance(error, Miss):
                self._recording.missed(str(error))
            await self._throw(error)
            return
        await self._play(Timeline((Beat(0.0, Finish()),), 0), last=True)

    async def _events(self) -> AsyncGenerator[tuple[str, dict[str, Json]], None]:
        """What the client says; taken and journaled as it comes, whatever else goes on."""
        heard: asyncio.Queue[tuple[str, dict[str, Json]] | Exception | None] = asyncio.Queue()

        async def take() -> None:
            try:
                async for piece in self._tap.pieces():
                    for name, members in self._inbound.events(piece):
                        self._note(name, members, len(piece))
                        heard.put_nowait((name, members))
                heard.put_nowait(None)
            except (BadInput, ServiceError) as error:
                heard.put_nowait(error)

        taking = asyncio.get_running_loop().create_task(take())
        try:
            while (event := await heard.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            taking.cancel()

    def _note(self, name: str, members: dict[str, Json], size: int) -> None:
        """Into the journal; of audio only how much it was."""
        at = self._plane.clock.now() - self._recording.origin
        if name == "audioInput":
            members = members | {"content": f"[{len(str(members.get('content')))} characters of base64]"}
        self._heard.append({"at": at, "event": {name: members}})
        self._plane.journal.grow(self._recording, size if name != "audioInput" else 0)

    async def _speak(self, turn: Turn) -> bool:
        """Whether the session is over."""
        request = self._request._replace(body=self._hearing.body)
        selection = self._chosen or self._select(request)
        self._chosen = None
        reply = selection.reply
        if reply is None:
            from converse_emulator.answering.answer import (
                automatic_reply,
            )  # it needs faker, which takes 0.2 s

            reply = automatic_reply(request, self._rng)
        speech = Speech(self._voice, self._hearing, turn)
        timeline, message = compile_turn(
            reply, request, self._rng, speech, self._delivery(), self._wrap(selection)
        )
        over = bool(timeline.beats) and isinstance(timeline.beats[-1].act, _ENDS)
        left = await self._play(timeline, last=over)
        self._hearing.answered(message)
        return over or left

    def _select(self, request: Request) -> Selection:
        selection = self._plane.selector.select(request, self._plane.clock.now() * self._plane.speed)
        name = selection.scenario.name if selection.scenario else None
        seed = selection.seed(self._plane.seed, request.session)
        self._recording.chosen(name, selection.chosen_by, seed, selection.instead, selection.wrap)
        self._rng.seed(seed)
        return selection

    def _refusal(self, selection: Selection) -> Reply | None:
        """The reply, if it is an HTTP error: it comes before anything was heard."""
        reply = selection.reply or ()
        return reply if any(isinstance(step, Refuse) for step in reply) else None

    def _wrap(self, selection: Selection) -> "tuple[Wrap, Random] | None":
        """What is done to the reply, with chance of its own."""
        seed = selection.seed(self._plane.seed, self._request.session)
        return (selection.wrap, Random(f"{seed}:wrap")) if selection.wrap else None

    def _refused(self, reply: Reply, wrap: "tuple[Wrap, Random] | None") -> Sequence[Beat]:
        moments = perform(reply, self._request, self._rng).moments
        beats: Sequence[Beat] = list(stream_beats(moments, lambda _: b"", self._delivery()))
        if wrap:
            beats = wrapped(beats, *wrap)
        return [beat._replace(at=beat.at / self._plane.speed) for beat in beats]

    async def _throw(self, error: Exception) -> None:
        name = error.name if isinstance(error, ServiceError) else "validationException"
        frame = Send(exception_frame(name, str(error)), name)
        await self._play(Timeline((Beat(0.0, frame), Beat(0.0, Finish())), 0), last=True)

    async def _play(self, timeline: Timeline, *, last: bool = False) -> bool:
        """Perform it now; whether the client has left. `last`: what ends it ends the session."""
        if not timeline.beats:
            return False
        part = _Part(self._recording, self._plane.clock.now())
        self._recording.planned(timeline)
        gates = self._plane.gates.of(self._request.session)
        await play(timeline, self._wire, self._plane.clock, gates, part)
        if last or part.how == "client left":
            self._recording.ended(part.how, self._plane.clock.now() - self._recording.origin)
        return part.how == "client left"

    def _delivery(self) -> Delivery:
        return self._plane.unscripted.delivery()._replace(speed=self._plane.speed)


def _as_one_call(request: Request, recording: Recording) -> Request:
    """The request with an id that makes all of its turns a call; SDKs send one."""
    own = {INVOCATION: f"session {recording.id}"}
    return request._replace(headers=own | dict(request.headers))


class _Part:
    """The record of one reply within the exchange."""

    how: Ended = "stopped"

    def __init__(self, recording: Recording, origin: float) -> None:
        self._recording = recording
        self.origin = origin
        self._after = origin - recording.origin

    def performed(self, beats: Sequence[Beat], first: int, end: int, actual: float) -> None:
        later = [beat._replace(at=beat.at + self._after) for beat in beats[first:end]]
        self._recording.performed(later, 0, len(later), actual + self._after)

    def ended(self, how: Ended, after: float) -> None:
        del after
        self.how = how
