"""What a reply costs grows with its length, and not faster. Calls are counted, not seconds."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from converse_emulator.language.loader import scenario_from
from converse_emulator.language.scenario import Json
from converse_emulator.rehearsal import EXAMPLE_MODEL, Run, example_request
from converse_emulator.spelling.timeline import compile_reply

FEW, MANY = 200, 800
SLACK = 1.15  # how much more than proportionally


def delta(number: int) -> Json:
    return {"event": {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": f"w{number} "}}}}


def text(number: int) -> Json:
    return {"text": f"w{number} "}


def in_the_tool(number: int) -> Json:
    return {"corrupt": "message_crc", "at": {"event": "tool_use", "block": "x", "number": number + 1}}


REPLIES: dict[str, Callable[[int], list[Json]]] = {
    "events": lambda n: [delta(i) for i in range(n)],
    "text": lambda n: [text(i) for i in range(n)],
    "waits": lambda n: [step for i in range(n) for step in ({"wait": 0.01}, text(i))],
    "faults": lambda n: [step for i in range(n) for step in ({"corrupt": "message_crc"}, text(i))],
    "unknown events": lambda n: [{"unknown": {"x": {}}} for _ in range(n)],
    "tools": lambda n: [{"tool_use": {"name": "x", "input": {"a": 1}}} for _ in range(n)],
    "a place in a long block": lambda n: [
        {"tool_use": {"name": "x", "input": {"a": "b" * n}}, "split": "characters"},
        in_the_tool(n // 2),
    ],
}


def calls_of(function: Callable[[], object]) -> int:
    """How many calls of Python functions it takes."""
    count = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        del frame, argument
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("kind", REPLIES)
def test_the_cost_of_a_reply_grows_with_its_length(kind: str) -> None:
    def costs(length: int) -> int:
        steps = REPLIES[kind](length)

        def take() -> None:
            (reply,) = scenario_from({"reply": steps}, "test").replies
            compile_reply(reply, example_request(Run("1", EXAMPLE_MODEL)), seed="1", now=0.0)

        return calls_of(take)

    costs(FEW)  # what is cached is
    few, many = costs(FEW), costs(MANY)
    assert many <= SLACK * few * MANY / FEW
