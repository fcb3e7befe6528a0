"""The browser leaves: Bedrock is let go of where somebody tells, and bounded where nobody does."""

from converse_contract.case import Cancel, Leave, Level
from converse_contract.checks import all_of, calls, capped, closed_within, some_tokens_unsent
from converse_contract.delivery.case import PathCase
from converse_contract.delivery.path import Path, Tuning

LONG = [[{"text": "more " * 60, "every": "100ms", "split": "words"}]]
SHORT = [[{"text": "more " * 12, "every": "100ms", "split": "words"}]]


def _told(path: Path) -> bool:
    return "tells leaving" in path.traits


def _nobody_tells(path: Path) -> bool:
    return not _told(path)


def _websocket(path: Path) -> bool:
    return path.protocol == "websocket"


def _pushes(path: Path) -> bool:
    return path.protocol != "sse"


CASES = (
    PathCase(
        id="10.17",
        title="The browser leaves in the middle, and the path tells.",
        requirement="The call of Bedrock MUST be closed within a second, with most of the answer unsaid.",
        why="Hops close their own connection behind them when the browser's is closed; a WebSocket API "
        "says $disconnect. Who does not listen pays for an answer that nobody reads.",
        scenario=LONG,
        drive=Leave("text"),
        on=_told,
        check=all_of(closed_within(1.0, slack=1.0), some_tokens_unsent, calls(1)),
    ),
    PathCase(
        id="10.18",
        title="A WebSocket is closed, and nobody tells.",
        requirement="410 GoneException MUST end the call of Bedrock within a second.",
        why="$disconnect is promised to nobody. That a connection is gone is what the next message is "
        "answered with, and who ignores that goes on to the end.",
        scenario=LONG,
        drive=Leave("text"),
        on=_websocket,
        tuning=lambda _: Tuning(silent_leaving=True),
        check=all_of(closed_within(1.0, slack=1.0), some_tokens_unsent, calls(1)),
    ),
    PathCase(
        id="10.19",
        title="The browser leaves in the middle, and the path tells nobody.",
        requirement="The one call of Bedrock MUST have maxTokens and come to its end.",
        why="A function runs on when its browser is gone, and AppSync takes what is published to nobody. "
        "All that bounds the bill is what was asked for.",
        scenario=SHORT,
        drive=Leave("text"),
        on=_nobody_tells,
        check=all_of(capped, calls(1)),
    ),
    PathCase(
        id="10.20",
        title="The user cancels an answer that is pushed.",
        requirement="The call of Bedrock SHOULD be closed within a second.",
        why="There is no response to close. Where nothing else says that an answer is not wanted any more, "
        "a word for it is the only way to stop paying.",
        level=Level.SHOULD,
        scenario=LONG,
        drive=Cancel(),
        on=_pushes,
        check=all_of(closed_within(1.0, slack=1.0), some_tokens_unsent),
    ),
)
