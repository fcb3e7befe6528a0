"""Section 6: three time limits where a plain request has one, and what happens until they run out."""

from typing import Any

from converse_contract.case import Case, Level, Limits
from converse_contract.checks import (
    all_of,
    call_limits_kept,
    ends_after,
    ends_after_stall,
    failed,
    finished,
    heartbeats_while_quiet,
    never_finished,
    no_tool_run,
    nothing_left_open,
    shows_no_text,
    terminal,
    text_is,
    within_attempts,
)

TITLE = "Time limits"

SHOWN = "Your subscription renews on "
PIECES = ["Your subscription ", "renews on ", "1 March", "."]
HEARTBEAT = frozenset({"heartbeat"})


def _endless(limits: Limits) -> list[Any]:
    """A word now and then, never late enough for the limit between bytes, until long after the total."""
    every = min(limits.between_bytes / 3, limits.total / 10)
    return [[{"text": "more " * int(1.5 * limits.total / every), "every": every, "split": "words"}]]


def _slow(limits: Limits) -> list[Any]:
    """Late at every step, but not too late, and longer in all than either limit."""
    every = 0.6 * limits.between_bytes
    return [[{"wait": 0.5 * limits.first_byte}, {"text": "".join(PIECES), "every": every, "split": PIECES}]]


def _late(limits: Limits) -> list[Any]:
    """Nothing for most of the time that the first byte may take."""
    return [[{"wait": 0.7 * limits.first_byte}, {"text": "".join(PIECES)}]]


CASES = (
    Case(
        id="6.1",
        title="Nothing ever comes, not even response headers.",
        requirement="The handler MUST give up at its first-byte limit, with an error of its own.",
        why="botocore waits 60 seconds and then tries again, and again: people have left by then.",
        scenario="timeouts/before-first-byte",
        check=all_of(
            failed("first_byte_timeout", retryable=True, partial=False),
            ends_after("first_byte"),
            shows_no_text,
        ),
    ),
    Case(
        id="6.2",
        title="Nothing ever comes: the calls of Bedrock.",
        requirement="Every call that was given up MUST be closed, and there MUST be no more than declared.",
        why="A wait that is given up leaves its thread waiting in the socket, and the model working.",
        scenario="timeouts/before-first-byte",
        check=all_of(nothing_left_open, within_attempts),
    ),
    Case(
        id="6.3",
        title="messageStart comes, then nothing ever again.",
        requirement="The handler MUST give up at one of its limits.",
        why="A limit that is only for the first byte is over now, and nobody watches any more.",
        scenario="timeouts/after-message-start",
        check=all_of(
            failed("between_bytes_timeout", "first_byte_timeout", retryable=True), never_finished, terminal
        ),
    ),
    Case(
        id="6.4",
        title="The stream stalls for ever in the middle of the answer.",
        requirement="The handler MUST give up at its limit between bytes, with an error of its own.",
        why="The read timeout of botocore comes up as a bare urllib3 ReadTimeoutError, past every `except "
        "ClientError`; without one the response never ends.",
        scenario="timeouts/between-bytes",
        check=all_of(
            failed("between_bytes_timeout", retryable=True, partial=True),
            ends_after_stall("between_bytes"),
            text_is(SHOWN),
        ),
    ),
    Case(
        id="6.5",
        title="The stream stalls for ever: the call of Bedrock.",
        requirement="The call MUST be closed once the handler has given up.",
        why="The error event is out and the handler thinks that it is done; the thread in the socket is not.",
        scenario="timeouts/between-bytes",
        check=nothing_left_open,
    ),
    Case(
        id="6.6",
        title="All the text has come, but messageStop never does.",
        requirement="The handler MUST report a failure at its limit between bytes.",
        why="The text looks complete; it is not known to be.",
        scenario="timeouts/before-the-end",
        check=all_of(failed("between_bytes_timeout", partial=True), never_finished, ends_after_stall()),
    ),
    Case(
        id="6.7",
        title="The stream stalls for ever in the middle of a tool's input.",
        requirement="The handler MUST NOT run the tool, and MUST report the failure.",
        why="On a timeout the collected input is still there, and code after the loop runs it.",
        scenario="timeouts/in-tool-input",
        check=all_of(no_tool_run, failed("between_bytes_timeout", partial=True)),
    ),
    Case(
        id="6.8",
        title="A word now and then, for ever.",
        requirement="The handler MUST give up at its total limit, with an error of its own.",
        why="Every byte restarts the limit between bytes: an answer that drips never runs into it.",
        needs=frozenset({"short_total"}),
        scenario=_endless,
        check=all_of(
            failed("total_timeout", partial=True), ends_after("total"), nothing_left_open, never_finished
        ),
    ),
    Case(
        id="6.9",
        title="A slow answer: every pause within its limit, all of them together longer than any.",
        requirement="A stream that is alive MUST NOT be given up.",
        why="One read timeout for everything, set for the first byte, kills healthy answers in their pauses.",
        scenario=_slow,
        check=all_of(text_is("".join(PIECES)), finished("end_turn"), call_limits_kept),
    ),
    Case(
        id="6.10",
        title="The stream stalls in the middle of the answer: heartbeats.",
        requirement="While nothing else comes, the handler SHOULD send heartbeats.",
        why="Load balancers close what is silent for a minute, and a user cannot tell a pause from an end.",
        level=Level.SHOULD,
        needs=HEARTBEAT,
        scenario="timeouts/between-bytes",
        check=heartbeats_while_quiet,
    ),
    Case(
        id="6.11",
        title="The first byte is late, but in time: heartbeats.",
        requirement="Headers and heartbeats SHOULD NOT wait for the model's first byte.",
        why="A handler that calls Bedrock before it answers sends nothing at all until then.",
        level=Level.SHOULD,
        needs=HEARTBEAT,
        scenario=_late,
        check=all_of(heartbeats_while_quiet, finished("end_turn")),
    ),
)
