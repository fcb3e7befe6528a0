"""What journals and transcripts say of an answer."""

from typing import Any

import pytest
from converse_contract.hop_state import HopState
from converse_contract.transcript import (
    Arrival,
    Ending,
    Failed,
    Finished,
    Heartbeat,
    Observed,
    Text,
    ToolFinished,
    ToolStarted,
    Transcript,
)
from converse_hops.passage import Record, What

from delivery.facts import Lag
from delivery.observed import ending, held_by, lag, lags, pause, sent_at


def seen(*events: Observed, how: Ending = "complete", status: int = 200) -> Transcript:
    arrivals = tuple(Arrival(float(number), event) for number, event in enumerate(events))
    return Transcript(100.0, status, (), arrivals, how, 9.0, b"")


def test_a_piece_is_late_by_when_its_last_byte_went() -> None:
    def record(at: float, what: What, size: int) -> Record:
        return Record(at, "down", what, size)

    records = [
        Record(0.0, "up", "received", 50),
        record(1.0, "received", 3),
        record(1.5, "received", 2),
        record(2.0, "passed", 4),
        record(2.5, "passed", 1),
    ]
    assert lags(records) == [1.0, 1.0]


def test_a_lag_is_of_the_middle_and_of_the_worst() -> None:
    assert lag([]) == Lag(0.0, 0.0)
    assert lag([2.0]) == Lag(2.0, 2.0)
    assert lag(range(101)) == Lag(50, 95.9)


@pytest.mark.parametrize(
    ("transcript", "said"),
    [
        (seen(Text("a"), Failed("x", "", None, None)), "what had come, then the event `x`"),
        (seen(Text("a"), Finished("end_turn", truncated=False)), "as if it were whole"),
        (seen(Text("a")), "what had come, then a clean end without a terminal event"),
        (seen(Text("a"), how="cut"), "what had come, then a cut"),
        (seen(how="no response"), "nothing, then a cut"),
        (seen(Text("a"), how="we left"), "what had come, then silence: nobody tells"),
        (seen(status=502), "status 502"),
    ],
)
def test_how_it_ended_is_told(transcript: Transcript, said: str) -> None:
    assert ending(transcript).endswith(said)


def test_a_pause_is_told_with_what_keeps_it_alive() -> None:
    events = ToolStarted("1", "t", "Looking…"), Heartbeat(), ToolFinished("1", "t", ok=True), Text("a")
    assert pause(seen(*events)) == "`Looking…` for 2.0 s, 1 heartbeat, then text"
    assert pause(seen(Text("a"))) == "nothing shows of it"


def exchange(operation: str) -> dict[str, Any]:
    acts = [{"actual": 0.5, "tokens": 0}, {"actual": 0.75, "tokens": 1}]
    return {"operation": operation, "started_at": 10.0, "acts": acts}


def test_the_emulator_tells_when_it_sent_text() -> None:
    assert sent_at([exchange("ConverseStream")]) == [10.75]


def test_who_holds_the_text_is_named() -> None:
    wrong, right = HopState("URL", (), "BUFFERED", "RESPONSE_STREAM"), HopState("Lambda")
    said = "the URL, with BUFFERED; this path needs RESPONSE_STREAM"
    assert held_by([exchange("ConverseStream")], [wrong, right]) == said
    assert held_by([exchange("ConverseStream")], [right]) == "the handler"
    assert held_by([exchange("Converse")], [wrong]).startswith("the handler: it calls Converse")
