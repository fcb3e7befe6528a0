"""Steps with a place: found among the frames of a response, and put there."""

from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.language.loader import reply_from
from converse_emulator.playing.acts import Head, Send, Timeline, explain
from converse_emulator.spelling.timeline import compile_reply

REQUEST = Request("ConverseStream", "anthropic.claude-3-haiku-20240307-v1:0", {}, {"messages": []})
TEXT = {"text": "one two three", "every": "1s", "split": "words"}
TOOL = {"tool_use": {"name": "find", "input": '{"a": 1}'}, "split": ['{"a"', ": 1}"]}
OTHER_TOOL = {"tool_use": {"name": "look", "input": "{}"}, "split": ["{", "}"]}


def compiled(*steps: Any, operation: str = "ConverseStream") -> Timeline:
    request = Request(operation, REQUEST.model_id, {}, REQUEST.body)
    return compile_reply(reply_from(list(steps)), request, seed="0", now=0)


def told(timeline: Timeline) -> list[str]:
    """Every act but the head: what is sent by its name, with its moment, and a mark if it was injected."""
    return [
        f"{beat.at:g} {beat.act.what if isinstance(beat.act, Send) else explain(beat.act)}"
        f"{' !' if beat.injected else ''}"
        for beat in timeline.beats
        if not isinstance(beat.act, Head)
    ]


def changed(*steps: Any) -> list[str]:
    """What is other than in the answer without the last step: the lines that are not in it."""
    usual = told(compiled(*steps[:-1]))
    return [line for line in told(compiled(*steps)) if line not in usual]


START = "0 messageStart"
WORDS = [START, "0 contentBlockDelta", "1 contentBlockDelta", "2 contentBlockDelta"]
END = ["2 contentBlockStop", "2 messageStop", "2 metadata", "2 finish"]


def test_without_any() -> None:
    assert told(compiled(TEXT)) == [*WORDS, *END]


@pytest.mark.parametrize(
    ("place", "injected"),
    [
        ("contentBlockDelta", "0 contentBlockDelta"),
        ("text", "0 contentBlockDelta"),
        ({"event": "text", "number": 3}, "2 contentBlockDelta"),
        ({"event": "text", "number": -1}, "2 contentBlockDelta"),
        ({"event": "messageStop"}, "2 messageStop"),
        ({"frame": 1}, "0 messageStart"),
        ({"frame": -1}, "2 metadata"),
        ({"time": "1.5s"}, "2 contentBlockDelta"),
        ({"fraction": 0.5}, "2 contentBlockDelta"),
        ({"fraction": 0.99}, "2 metadata"),
        ({"block": 0, "number": 2}, "1 contentBlockDelta"),
    ],
)
def test_places_of_frames(place: Any, injected: str) -> None:
    assert changed(TEXT, {"corrupt": "message_crc", "at": place}) == [f"{injected}, message_crc corrupted !"]


@pytest.mark.parametrize(
    ("place", "frame"),
    [
        ({"event": "tool_use", "number": 2}, 4),
        ({"event": "tool_use", "block": "look"}, 8),
        ({"event": "contentBlockStop", "block": "find"}, 6),
        ({"block": 1, "number": -1}, 11),
    ],
)
def test_places_inside_a_named_block(place: Any, frame: int) -> None:
    lines = told(compiled(TOOL, OTHER_TOOL, {"drop": None, "at": place}))
    assert [i for i, line in enumerate(lines, 1) if line.endswith("dropped !")] == [frame]


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        ({"drop": None, "at": "messageStop"}, ["2 messageStop, dropped !"]),
        ({"duplicate": None, "at": "messageStop"}, ["2 messageStop !", "2 messageStop, again !"]),
        ({"swap": None, "at": "messageStart"}, ["0 contentBlockDelta !", "0 messageStart !"]),
        ({"swap": None, "at": "metadata"}, ["2 metadata !"]),
        ({"corrupt": {"byte": 3}, "at": "metadata"}, ["2 metadata, byte 3 corrupted !"]),
        ({"bytes": "x", "at": "metadata"}, ["2 bytes !"]),
        ({"unknown": {"new": {}}, "after": "messageStart"}, ["0 new !"]),
        ({"raw": "x", "after": "messageStart"}, ["0 raw 1 B (bytes) !"]),
        ({"go_away": None, "after": "messageStart"}, ["0 go away (NO_ERROR) !"]),
        ({"gate": "go", "at": "metadata"}, ["2 gate go"]),
    ],
)
def test_what_befalls_one_frame_or_comes_beside_it(step: Any, lines: list[str]) -> None:
    assert changed(TEXT, step) == lines


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        ({"reset": None, "at": {"event": "text", "number": 2}}, [*WORDS[:2], "1 reset (RST) !"]),
        ({"reset": None, "after": {"event": "text", "number": 2}}, [*WORDS[:3], "1 reset (RST) !"]),
        ({"hangup": "connection", "at": "messageStart"}, ["0 hang up (FIN) the connection !"]),
        ({"finish": None, "at": {"time": "1.5s"}}, [*WORDS[:3], "1.5 finish !"]),
        (
            {"reset": None, "at": {"event": "text", "inside": "message_crc"}},
            [START, "0 contentBlockDelta, cut !", "0 reset (RST) !"],
        ),
        ({"cut": 17, "at": "text"}, [START, "0 contentBlockDelta, cut !", "0 finish !"]),
        ({"wait": "forever", "at": {"frame": 3}}, [*WORDS[:2], "1 hold !"]),
        (
            {"throw": "throttlingException", "after": "messageStart"},
            [START, "0 throttlingException !", "0 finish !"],
        ),
        (
            {"tear": 0.5, "at": "messageStart"},
            ["0 send 152 B (messageStart), torn after 50% !", "0 hang up (FIN) !"],
        ),
        ({"reset": None, "at": {"byte": 0}}, ["0 reset (RST) !"]),
        ({"reset": None, "at": {"byte": 17}}, ["0 messageStart, cut !", "0 reset (RST) !"]),
        ({"wait": "forever", "at": {"byte": 17}}, ["0 messageStart, cut !", "0 hold !"]),
    ],
)
def test_an_end_at_a_place(step: Any, lines: list[str]) -> None:
    assert told(compiled(TEXT, step)) == lines


def test_a_wait_moves_all_that_comes_after_it() -> None:
    late = ["12 contentBlockStop", "12 messageStop", "12 metadata", "12 finish"]
    lines = told(compiled(TEXT, {"wait": "10s", "at": {"event": "text", "number": 2}}))
    assert lines == [*WORDS[:2], "11 contentBlockDelta", "12 contentBlockDelta", *late]


def test_a_wait_in_the_middle_of_a_frame() -> None:
    lines = told(compiled(TEXT, {"wait": "10s", "at": {"event": "text", "inside": 0.5}}))
    assert lines[:4] == [
        START,
        "0 contentBlockDelta, begun !",
        "10 contentBlockDelta !",
        "11 contentBlockDelta",
    ]


def test_a_wait_at_a_byte() -> None:
    lines = told(compiled(TEXT, {"wait": "10s", "at": {"byte": 5}}))
    assert lines[:3] == ["0 messageStart, cut !", "10 messageStart !", "10 contentBlockDelta"]


@pytest.mark.parametrize("place", [{"event": "tool_use"}, {"frame": 99}, {"byte": 99_999}, {"time": "1min"}])
def test_a_place_that_does_not_exist_changes_nothing_and_is_told(place: Any) -> None:
    timeline = compiled(TEXT, {"reset": None, "at": place})
    assert told(timeline) == [*WORDS, *END]
    assert len(timeline.nowhere) == 1
    assert "Reset" in timeline.nowhere[0]


def test_several_steps_with_places() -> None:
    steps = [{"drop": None, "at": "messageStart"}, {"reset": None, "at": "contentBlockStop"}]
    lines = ["0 messageStart, dropped !", *WORDS[1:], "2 reset (RST) !"]
    assert told(compiled(*steps, TEXT)) == told(compiled(TEXT, *steps)) == lines


@pytest.mark.parametrize("operation", ["Converse", "InvokeModel", "InvokeModelWithResponseStream"])
def test_other_operations_have_places_too(operation: str) -> None:
    request = Request(operation, REQUEST.model_id, {}, {"messages": []}, native={"messages": []})
    reply = reply_from([TEXT, {"reset": None, "at": {"event": "text", "number": 2}}])
    beats = compile_reply(reply, request, seed="0", now=0).beats
    assert (beats[-1].at, explain(beats[-1].act), beats[-1].injected) == (1, "reset (RST)", True)
