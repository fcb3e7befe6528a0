"""An EventSource comes back after every end. It must not have the answer made, and paid for, again."""

from converse_contract.case import ComeBack, Level
from converse_contract.checks import all_of, calls, exactly_the_missed, nothing_more, stops_an_event_source
from converse_contract.delivery.case import PathCase
from converse_contract.delivery.path import Path

ANSWER = ["Your plan renews on 1 March, and the invoice comes by mail."]


def _sse(path: Path) -> bool:
    return path.protocol == "sse"


def _service(path: Path) -> bool:
    return _sse(path) and not path.runs_function


CASES = (
    PathCase(
        id="10.21",
        title="An EventSource comes back to where it asked, after a clean end.",
        requirement="Coming back MUST NOT call Bedrock again, and MUST be answered by something that stops "
        "it.",
        why="To an EventSource an end is a break: it asks again after the retry time, for ever. A GET that "
        "starts an answer makes, and bills, one every three seconds.",
        scenario=[*ANSWER, *ANSWER],
        drive=ComeBack("question"),
        on=_sse,
        check=all_of(calls(1), stops_an_event_source),
    ),
    PathCase(
        id="10.22",
        title="A browser that has it all comes back for the rest.",
        requirement="It SHOULD get 204, and Bedrock SHOULD NOT be called.",
        why="204 is the one status that stops an EventSource and is no error: everything is there.",
        level=Level.SHOULD,
        scenario=[*ANSWER, *ANSWER],
        drive=ComeBack("answer"),
        on=_service,
        check=all_of(calls(1), nothing_more),
    ),
    PathCase(
        id="10.23",
        title="A browser that has half of it comes back for the rest.",
        requirement="It SHOULD get exactly the events that it missed, without another call of Bedrock.",
        why="A model cannot resume. Without the events that were made, a lost connection costs the answer "
        "twice, and the second one says something else.",
        level=Level.SHOULD,
        scenario=[*ANSWER, *ANSWER],
        drive=ComeBack("answer", having="half"),
        on=_service,
        check=all_of(calls(1), exactly_the_missed),
    ),
)
