"""Server-Sent Events, bytes in, events out: the parser of the WHATWG HTML standard, section 9.2.

The decoder takes the bytes in any pieces and tells what a browser would dispatch. Beyond the browser it also
reports comments (they are the heartbeats) and `retry` fields. An event that is unfinished when the stream
ends is never reported, as the standard says; `unfinished` shows it.
"""

import codecs
import re
from dataclasses import dataclass

LINE_END = re.compile("\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Message:
    """A dispatched event. `id` is the block's own `id` field, `last_event_id` what a browser would keep."""

    data: str
    type: str = "message"
    id: str | None = None
    last_event_id: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that begins with a colon, without the colon and one space."""

    text: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The reconnection time that the server asks for."""

    milliseconds: int


SseEvent = Message | Comment | Retry


class Decoder:
    """One event stream. `feed` returns what the bytes so far complete."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pieces: list[str] = []  # of the line that is not yet ended
        self._at_start = True  # a byte order mark may still come
        self._after_cr = False  # a line feed now belongs to the line end before it
        self._last_event_id = ""
        self._clear()

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that these bytes complete, in order."""
        text = self._utf8.decode(data)
        if self._at_start and text:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        if self._after_cr and text:
            text = text.removeprefix("\n")
            self._after_cr = False
        if text.endswith("\r"):
            self._after_cr = True
        *lines, rest = LINE_END.split(text)
        events: list[SseEvent] = []
        for line in lines:
            self._pieces.append(line)
            events += self._line("".join(self._pieces))
            self._pieces.clear()
        if rest:
            self._pieces.append(rest)
        return events

    @property
    def unfinished(self) -> str:
        """What has arrived of an event that no blank line has ended yet; empty between events."""
        return "\n".join([*self._seen, *(["".join(self._pieces)] if self._pieces else [])])

    def _clear(self) -> None:
        self._data: list[str] = []
        self._type = ""
        self._id: str | None = None
        self._seen: list[str] = []  # the block's lines so far

    def _line(self, line: str) -> list[SseEvent]:
        if not line:
            return self._dispatch()
        if line.startswith(":"):
            return [Comment(line[1:].removeprefix(" "))]
        self._seen.append(line)
        name, _, value = line.partition(":")
        return self._field(name, value.removeprefix(" "))

    def _field(self, name: str, value: str) -> list[SseEvent]:
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._type = value
            case "id" if "\0" not in value:
                self._id = self._last_event_id = value
            case "retry" if value.isascii() and value.isdigit():
                return [Retry(int(value))]
            case _:
                pass  # the standard ignores what it does not know
        return []

    def _dispatch(self) -> list[SseEvent]:
        data, kind, own_id = self._data, self._type, self._id
        self._clear()
        if not data:
            return []
        return [Message("\n".join(data), kind or "message", own_id, self._last_event_id)]
