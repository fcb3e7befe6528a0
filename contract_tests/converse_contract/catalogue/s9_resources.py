"""Section 9: many answers, and what they leave behind."""

from typing import Any

from converse_contract.case import Case, Evidence, Finding, InTurn, Limits, Probe, Together
from converse_contract.checks import (
    all_of,
    failed,
    finished,
    for_each_response,
    last_response,
    nothing_left_open,
    responsive,
    terminal,
    text_is,
    text_is_all_sent,
)

TITLE = "Resources"

ANSWER = "Your subscription renews on 1 March."
COUNTING = "One two three four five six seven eight nine ten."
POOL = 10  # connections in botocore's pool, unless it is told otherwise
BROKEN: list[Any] = [
    [{"text": "Your "}, {"throw": "modelStreamErrorException"}],
    [{"text": "Your "}, "hangup"],
    [{"text": "Your "}, "finish"],
    [{"text": "Your "}, {"corrupt": "message_crc"}, {"text": "subscription"}],
]


def _pauses(limits: Limits) -> list[Any]:
    """Pauses that are within the limits."""
    pieces = ["Your ", "subscription ", "renews."]
    return [[{"text": "".join(pieces), "split": pieces, "every": 0.8 * limits.between_bytes}]]


def _answered_meanwhile(evidence: Evidence) -> list[Finding]:
    """The health page answers in less time than a pause takes."""
    return responsive(min(2.0, 0.7 * evidence.limits.between_bytes))(evidence)


def _held(limits: Limits) -> list[Any]:
    """Streams that each last for most of what the first byte may take."""
    return [[{"text": ANSWER, "every": 0.2 * limits.first_byte, "split": "words"}]]


CASES = (
    Case(
        id="9.1",
        title="More broken streams than a connection pool has places, and then a good one.",
        requirement="Whatever broke before, the next answer MUST be complete.",
        why="A stream that failed and was not closed keeps its connection, or the slot of a semaphore; the "
        "handler works until they are used up.",
        scenario=[*(BROKEN * 3)[: POOL + 1], ANSWER],
        drive=InTurn(POOL + 2),
        check=all_of(last_response(all_of(text_is(ANSWER), finished("end_turn"))), nothing_left_open),
    ),
    Case(
        id="9.2",
        title="A corrupt frame, after which Bedrock keeps the connection open.",
        requirement="The call MUST be closed once its stream was given up.",
        why="The reader has raised, and under it the connection stays open for as long as anything refers "
        "to it: a variable, a registry of readers, an error tracker.",
        scenario=[
            [{"text": "Your "}, {"corrupt": "message_crc"}, {"text": "subscription"}, {"wait": "forever"}]
        ],
        check=all_of(failed("stream_corrupted"), nothing_left_open),
    ),
    Case(
        id="9.3",
        title="Eight answers at once.",
        requirement="Concurrent answers MUST NOT mix: each MUST be whole, ordered and by itself.",
        why="A queue, a parser or a list of blocks that lives in the module or in the application is shared "
        "by all.",
        scenario=[[{"text": COUNTING, "every": 0.03, "split": "words"}]],
        drive=Together(8),
        check=for_each_response(all_of(text_is_all_sent, finished("end_turn"), terminal)),
    ),
    Case(
        id="9.4",
        title="A stream pauses, and somebody asks for the health page.",
        requirement="Other requests MUST be answered while a stream is open.",
        why="boto3's iterator blocks: in an async function it stops the event loop, and with it the whole "
        "process.",
        scenario=_pauses,
        drive=Probe(),
        check=all_of(_answered_meanwhile, finished("end_turn")),
    ),
    Case(
        id="9.5",
        title="Sixteen slow answers at once.",
        requirement="Slow answers MUST NOT make others wait for a place.",
        why="The event loop's default executor has four threads more than the machine has cores: the next "
        "stream waits until one of them ends.",
        scenario=_held,
        drive=Together(16),
        check=for_each_response(all_of(text_is(ANSWER), finished("end_turn"))),
    ),
    Case(
        id="9.6",
        title="Eight streams stall at once.",
        requirement="When they were given up, no call of Bedrock MUST be left open.",
        why="What one leak hides, eight show: threads that wait in sockets which nobody reads any more.",
        scenario="timeouts/between-bytes",
        drive=Together(8),
        check=all_of(for_each_response(failed("between_bytes_timeout")), nothing_left_open),
    ),
)
