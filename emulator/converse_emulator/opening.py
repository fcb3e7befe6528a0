"""A request that was taken in, and its answer, ready to be played: on any wire, or all of it at once."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from converse_emulator.playing.acts import Timeline, Whole
from converse_emulator.playing.clock import Clock
from converse_emulator.playing.gates import Gates
from converse_emulator.playing.player import play
from converse_emulator.playing.recording import Recording
from converse_emulator.playing.wire import ClientLeft, Wire

if TYPE_CHECKING:
    from converse_emulator.wires.uvicorn_wire import UvicornWire

logger = logging.getLogger(__name__)


class Answer(Protocol):
    """What a connection makes of a request."""

    @property
    def whole(self) -> Whole | None:
        """The response, where all of it can be sent at once."""

    def sent(self) -> None:
        """It was sent at once."""

    async def play(self, wire: Wire) -> None:
        """Play it, to its end or until the client leaves."""


class Opening(NamedTuple):
    """The answer to a request that is recorded. `settle` is called once it has ended."""

    reply: Timeline | Whole
    recording: Recording
    clock: Clock
    gates: Gates
    settle: Callable[[Recording], None]

    @property
    def whole(self) -> Whole | None:
        return self.reply if isinstance(self.reply, Whole) else None

    def sent(self) -> None:
        assert isinstance(self.reply, Whole)
        self.recording.sent(self.reply, self.clock.now() - self.recording.origin)
        self.settle(self.recording)

    async def play(self, wire: Wire) -> None:
        timeline = self.reply.unfolded() if isinstance(self.reply, Whole) else self.reply
        try:
            await play(timeline, wire, self.clock, self.gates, self.recording)
        finally:
            self.settle(self.recording)


class Unrecorded(NamedTuple):
    """The answer to what was not meant for a model."""

    whole: Whole

    def sent(self) -> None:
        pass

    async def play(self, wire: Wire) -> None:
        await wire.head(self.whole.head.status, self.whole.head.headers)
        await wire.send(self.whole.body)
        await wire.finish()


async def played(answer: Answer, wire: "UvicornWire") -> None:
    """Play an answer on a connection, whatever becomes of it, and leave nothing behind."""
    try:
        await answer.play(wire)
    except ClientLeft:
        pass
    except Exception:
        logger.exception("The emulator failed in the middle of an answer")
        await wire.hangup()
    finally:
        await wire.close()
