"""A captured event-stream body, taken apart for judging: frames with their offsets and payloads."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from converse_emulator.framing.eventstream import Decoder, FrameError, Message, encode
from converse_emulator.language.scenario import Json

NOTHING = object()  # what a payload that is no JSON says


@dataclass(frozen=True)
class Frame:
    """One frame and where in the body it starts."""

    offset: int
    message: Message

    @property
    def kind(self) -> str:
        """The event's, exception's or error's name; empty if no header tells it."""
        for name in (":event-type", ":exception-type", ":error-code"):
            if isinstance(value := self.message.header(name), str):
                return value
        return ""

    @property
    def is_event(self) -> bool:
        """Whether `:message-type` says event."""
        return self.message.header(":message-type") == "event"

    @property
    def payload_offset(self) -> int:
        """Where in the body the payload starts."""
        return self.offset + len(encode(self.message)) - 4 - len(self.message.payload)

    @cached_property
    def payload(self) -> Json:
        """The payload's JSON value, or `NOTHING`."""
        try:
            return json.loads(self.message.payload)
        except ValueError:
            return NOTHING

    @property
    def members(self) -> dict[str, Json]:
        """The payload's members; none if it is no object."""
        return self.payload if isinstance(self.payload, dict) else {}


@dataclass(frozen=True, slots=True)
class Capture:
    """A body: its readable frames, and what ended the reading (None: the body's end, between two frames)."""

    frames: tuple[Frame, ...]
    broken: FrameError | None
    left_over: int  # bytes of a frame that did not come whole
    size: int

    def events(self) -> Iterator[Frame]:
        """The frames that are events."""
        return (frame for frame in self.frames if frame.is_event)


def take_apart(body: bytes) -> Capture:
    """The frames of `body`, up to the first that cannot be read."""
    decoder, frames, broken = Decoder(), [], None
    start = 0
    try:
        for message in decoder.messages(body):
            frames.append(Frame(start, message))
            start = decoder.offset
    except FrameError as error:
        broken = error
    return Capture(tuple(frames), broken, 0 if broken else decoder.pending, len(body))
