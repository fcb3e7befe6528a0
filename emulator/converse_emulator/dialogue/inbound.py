"""What a client sends: frames, perhaps each signed, and in each a chunk with an event of the model's own.

    frame   :date, :chunk-signature                               a message as payload, or at the end nothing
    message :event-type chunk, :content-type, :message-type       {"bytes":"eyJldmVudCI6…"}
    event   {"event": {"textInput": {"promptName": …, …}}}

Clients that sign nothing send the message without a frame around it.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator

from converse_emulator.framing.eventstream import Decoder, FrameError, Message
from converse_emulator.http.inbound import json_object
from converse_emulator.language.scenario import Json

MOST_BYTES = 1_048_576  # of one message; an event of audio has some thousands

Verify = Callable[[Message], None]


class BadInput(ValueError):
    """What the client sent cannot be taken; the text is for the client."""


class Inbound:
    """From bytes, cut anywhere, to events. `verify` looks at each frame and may raise."""

    def __init__(self, verify: Verify | None = None) -> None:
        self._verify = verify
        self._decoder = Decoder()

    def events(self, data: bytes) -> Iterator[tuple[str, dict[str, Json]]]:
        """Name and members of each event that `data` completes; raises `BadInput`."""
        try:
            for message in self._decoder.messages(data):
                yield from self._event(message)
        except FrameError as error:
            raise BadInput(f"The input is no event stream: {error}") from error
        if self._decoder.pending > MOST_BYTES:
            raise BadInput(f"A message of the input is larger than {MOST_BYTES} bytes.")

    def _event(self, frame: Message) -> Iterator[tuple[str, dict[str, Json]]]:
        if self._verify:
            self._verify(frame)
        message: Message | None = frame
        if frame.header(":chunk-signature") is not None:
            message = _wrapped(frame)
        if message is not None:  # else the last frame, which says that nothing follows
            yield _event_of(message)


def _wrapped(frame: Message) -> Message | None:
    if not frame.payload:
        return None
    inside = Decoder().feed(frame.payload)
    if len(inside) != 1:
        raise BadInput("A signed frame of the input must have one message in it.")
    return inside[0]


def _event_of(message: Message) -> tuple[str, dict[str, Json]]:
    event_type = message.header(":event-type")
    if event_type != "chunk":
        raise BadInput(f"A message of the input has the :event-type {event_type!r}; it must be 'chunk'.")
    try:
        chunk = json.loads(message.payload)
        event = json_object(b64decode(chunk["bytes"], validate=True))["event"]
        ((name, members),) = event.items()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadInput(
            'A chunk of the input must be {"bytes": BASE64}, with {"event": {NAME: {…}}} in it as JSON.'
        ) from None
    if not isinstance(members, dict):
        raise BadInput(f"The event {name!r} of the input must be a JSON object.")
    return name, members
