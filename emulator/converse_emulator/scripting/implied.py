"""The events that a script does not say: starts, stops and their order.

    messageStart → ( contentBlockStart? → contentBlockDelta* → contentBlockStop )* → messageStop → metadata

Real Bedrock numbers blocks 0, 1, 2, …, never interleaves them, starts only toolUse blocks with an event and
stops every block. Literal events of a script pass as they are and count here: what a script says itself is
not said again, and a block that literal events opened is closed for them only where content or the implied
end follows.
"""

from collections.abc import Mapping
from typing import NamedTuple

from converse_emulator.language.scenario import Event, Json
from converse_emulator.scripting.composing import SERVER_TOOL, TEXT, Block, Kind


class _Open(NamedTuple):
    """An open block. `literal`: nothing but literal events has touched it."""

    takes: frozenset[Kind]  # what may be added to it
    literal: bool = False


class Implied:
    """Follows one message as it is sent, and tells which events are due first."""

    def __init__(self) -> None:
        self.stopped = False  # messageStop was sent
        self.finished = False  # metadata was sent
        self.started = False  # messageStart was sent
        self._called_tool = False
        self._open: dict[int, _Open] = {}
        self._next = 0

    def before_block(self, block: Block) -> tuple[list[Event], int]:
        """Before the first delta of a step: what is due, and the index of the step's block."""
        due = self._begin()
        match list(self._open.items()):
            case [(index, open_)] if block.kind in open_.takes:
                cited = "citation" in open_.takes and block.kind == "text"
                self._open[index] = _Open(frozenset() if cited else block.takes)  # that text is the block's
                return due, index
        due += self._close(list(self._open))
        index = self._next
        self._track(index, _Open(block.takes))
        if start := block.start:
            self._called_tool |= _waits_for_result(start)
            due.append(Event("contentBlockStart", {"contentBlockIndex": index, "start": start}))
        return due, index

    def before_literal(self, event: Event, *, last_words: bool) -> list[Event]:
        """Before `event`, said literally. `last_words`: the script says nothing about the end after it."""
        if event.type == "messageStart":
            self.started = True
            return []
        due = self._begin()
        match event.type:
            case "contentBlockStart" | "contentBlockDelta":
                index = _index(event)
                due += self._close([open_ for open_ in self._ours() if open_ != index])
                self._note_block(index, event.body)
            case "contentBlockStop":
                self._open.pop(_index(event), None)
            case "messageStop":
                due += self._close(self._ours())
                self.stopped = True
            case "metadata":
                due += self.rest(None) if last_words else []
                self.finished = True
        return due

    @property
    def open_text(self) -> int | None:
        """The index of the text block that is open, if one is that literal events have not touched."""
        return next((i for i, each in self._open.items() if "text" in each.takes and not each.literal), None)

    @property
    def usual_reason(self) -> str:
        """Why a message ends that is complete."""
        return "tool_use" if self._called_tool else "end_turn"

    def end(self, reason: str, fields: Mapping[str, Json] | None = None) -> list[Event]:
        """The end of the message, as said, up to messageStop."""
        due = self._begin() + self._close(list(self._open))
        self.stopped = True
        stop: dict[str, Json] = {"stopReason": reason}
        if fields is not None:
            stop["additionalModelResponseFields"] = fields
        return [*due, Event("messageStop", stop)]

    def rest(self, reason: str | None) -> list[Event]:
        """What of that is still missing at the end. Without a reason: that of an answer that is complete."""
        if self.stopped:
            return self._close(self._ours())
        return self.end(reason or self.usual_reason)

    def _begin(self) -> list[Event]:
        if self.started:
            return []
        self.started = True
        return [Event("messageStart", {"role": "assistant"})]

    def _close(self, indices: list[int]) -> list[Event]:
        for index in indices:
            del self._open[index]
        return [Event("contentBlockStop", {"contentBlockIndex": index}) for index in indices]

    def _ours(self) -> list[int]:
        return [index for index, block in self._open.items() if not block.literal]

    def _note_block(self, index: int, body: Mapping[str, Json]) -> None:
        start, delta = body.get("start"), body.get("delta")
        if isinstance(start, Mapping) and _waits_for_result(start):
            self._called_tool = True
        if index not in self._open:
            joinable = isinstance(delta, Mapping) and ("text" in delta or "citation" in delta)
            self._track(index, _Open(TEXT if joinable else frozenset(), literal=True))

    def _track(self, index: int, block: _Open) -> None:
        self._open[index] = block
        self._next = max(self._next, index + 1)


def _waits_for_result(start: Mapping[str, Json]) -> bool:
    """Whether a block that starts so is a call that the client has to answer; the system's own are not."""
    call = start.get("toolUse")
    return isinstance(call, Mapping) and call.get("type") != SERVER_TOOL


def _index(event: Event) -> int:
    """The block that a literal event names; -1 when what it says is no index."""
    index = event.body.get("contentBlockIndex")
    return index if isinstance(index, int) else -1
