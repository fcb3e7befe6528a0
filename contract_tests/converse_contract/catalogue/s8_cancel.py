"""Section 8: the browser leaves, and the model is still being paid for."""

from typing import Any

from converse_contract.case import Case, Leave, Limits
from converse_contract.checks import all_of, calls, closed_within, some_tokens_unsent

TITLE = "Cancelling"

CLOSED = closed_within(1.0, slack=1.0)
# One delta and silence: who has seen text has seen all there is, and the stall has begun.
STALL: list[Any] = [[{"text": "Your subscription renews on ", "split": "whole"}, {"wait": "forever"}]]


def _long(limits: Limits) -> list[Any]:
    """An answer that would last for most of the total time."""
    every = min(0.2, 0.4 * limits.between_bytes)
    return [[{"text": "more " * int(0.8 * limits.total / every), "every": every, "split": "words"}]]


def _tool(limits: Limits) -> list[Any]:
    """A tool that takes most of its time limit, and then the answer."""
    return [
        [
            {"text": "Let me prepare the report. "},
            {"tool_use": {"name": "slow_report", "input": {"seconds": 0.8 * limits.tool}}},
        ],
        "There are 3 rows.",
    ]


CASES = (
    Case(
        id="8.1",
        title="The browser leaves before the model's first byte.",
        requirement="The call of Bedrock MUST be closed within a second.",
        why="The thread waits for headers inside the SDK, where there is no stream object to close yet.",
        scenario="timeouts/before-first-byte",
        drive=Leave("called"),
        check=all_of(CLOSED, calls(1)),
    ),
    Case(
        id="8.2",
        title="The browser leaves in the middle of a long answer.",
        requirement="The call of Bedrock MUST be closed within a second, with most of the answer unsaid.",
        why="A handler that does not notice, or notices and lets the generator run, pays for the whole "
        "answer.",
        scenario=_long,
        drive=Leave("text"),
        check=all_of(CLOSED, some_tokens_unsent, calls(1)),
    ),
    Case(
        id="8.3",
        title="The browser leaves while the stream stalls.",
        requirement="The call of Bedrock MUST be closed within a second.",
        why="Nothing is written in a stall, so who notices a closed connection by writing does not notice.",
        scenario=STALL,
        drive=Leave("text"),
        check=CLOSED,
    ),
    Case(
        id="8.4",
        title="The browser leaves while a tool runs.",
        requirement="Bedrock MUST NOT be called again.",
        why="No stream is open, so nothing breaks: the tool ends, and its result is sent to nobody's answer.",
        needs=frozenset({"tools"}),
        scenario=_tool,
        drive=Leave("tool"),
        check=calls(1),
    ),
)
