"""How an answer ends that nobody goes on with."""

import pytest
from converse_handler import sse
from converse_handler.cut_short import cut_short
from converse_handler.events import (
    BlockStarted,
    BlockStopped,
    Event,
    Failed,
    Finished,
    Started,
    Text,
    Thinking,
    ToolStarted,
)

STARTED, OPEN, TEXT, STOPPED = Started("msg_1"), BlockStarted(0, "text"), Text(0, "a"), BlockStopped(0)


@pytest.mark.parametrize(
    ("told", "closing", "partial"),
    [
        ([], [STARTED], False),
        ([STARTED], [], False),
        ([STARTED, OPEN], [STOPPED], False),
        ([STARTED, OPEN, TEXT], [STOPPED], True),
        ([STARTED, OPEN, TEXT, STOPPED], [], True),
        ([STARTED, OPEN, TEXT, STOPPED, ToolStarted("t", "n", "l")], [], True),
        ([STARTED, BlockStarted(0, "thinking"), Thinking(0, "a")], [STOPPED], False),
        ([STARTED, OPEN, TEXT, STOPPED, BlockStarted(1, "text")], [BlockStopped(1)], True),
    ],
)
def test_the_open_block_closes_and_then_it_fails(
    told: list[Event], closing: list[Event], partial: bool
) -> None:
    *before, failure = cut_short("msg_1", [sse.encode(event, 2) for event in told])
    assert before == closing
    assert isinstance(failure, Failed)
    assert (failure.code, failure.retryable, failure.partial) == ("stream_interrupted", True, partial)


@pytest.mark.parametrize("end", [Finished("end_turn", False, None), Failed("throttled", "Busy.", True, True)])
def test_what_has_ended_ends_once(end: Event) -> None:
    assert cut_short("msg_1", [sse.encode(event, 2) for event in (STARTED, end)]) == []


def test_the_first_block_of_a_response_can_be_read_too() -> None:
    assert sse.decode(sse.encode(STARTED, 1, "msg_1")) == {"type": "message_start", "id": "msg_1"}
