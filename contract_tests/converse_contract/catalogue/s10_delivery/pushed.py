"""Where no response carries an answer it is pushed, piece by piece: order, gaps, and who may listen."""

from converse_contract.case import FetchMissed, Level, Trespass
from converse_contract.checks import (
    all_of,
    at_most_publishes,
    everything_heard,
    finished,
    gaps_can_be_mended,
    located,
    numbered_from_one,
    numbers_put_it_in_order,
    others_are_refused,
    text_is_all_sent,
)
from converse_contract.delivery.case import PathCase
from converse_contract.delivery.path import Path, Tuning

MANY = [[{"text": "One after the other, and none of them lost. " * 12, "every": "5ms", "split": "words"}]]
PUBLISHES = 25  # a second, of one connection


def _websocket(path: Path) -> bool:
    return path.protocol == "websocket"


def _appsync(path: Path) -> bool:
    return path.protocol == "appsync"


CASES = (
    PathCase(
        id="10.24",
        title="Many small messages, each of which takes its own time to be posted.",
        requirement="They MUST arrive in order, numbered from 1 without a gap.",
        why="Two posts at a time overtake each other, on fast days seldom, and a browser that has no "
        "numbers shows the words as they come.",
        scenario=MANY,
        on=_websocket,
        tuning=lambda _: Tuning(post_latency=(0.001, 0.03)),
        check=all_of(numbered_from_one, text_is_all_sent, finished("end_turn")),
    ),
    PathCase(
        id="10.25",
        title="AppSync delivers some events late.",
        requirement="Their numbers MUST put them in order, from 1 and without a gap.",
        why="No order is documented. Without numbers nobody can tell that a word is in the wrong place.",
        scenario=MANY,
        on=_appsync,
        tuning=lambda _: Tuning(reorder=0.3),
        check=numbers_put_it_in_order,
    ),
    PathCase(
        id="10.26",
        title="AppSync loses some events.",
        requirement="What is missing SHOULD be found by its number, and be had for the asking.",
        why="AppSync keeps nothing, so what is lost on the way is with the handler or nowhere.",
        level=Level.SHOULD,
        scenario=MANY,
        drive=FetchMissed(),
        on=_appsync,
        tuning=lambda _: Tuning(drop=0.2),
        check=gaps_can_be_mended,
    ),
    PathCase(
        id="10.27",
        title="A browser subscribes to its channel, and then asks.",
        requirement="The answer MUST go to that channel, from its first event on.",
        why="What is published before anybody listens is lost, and reported as a success. A channel that "
        "the handler names in its answer is one that nobody listens to yet.",
        scenario=["Your plan renews on 1 March."],
        on=_appsync,
        check=all_of(everything_heard, numbered_from_one, located(text_is_all_sent)),
    ),
    PathCase(
        id="10.28",
        title="Another user wants to listen, and to have something published there.",
        requirement="Both MUST be refused.",
        why="Channels are names, and names are guessed. A handler that publishes wherever it is told puts "
        "one user's words on another one's screen.",
        scenario=[[{"text": "Your plan renews on 1 March.", "every": "50ms"}], "Nobody's answer."],
        drive=Trespass(),
        on=_appsync,
        check=others_are_refused,
    ),
    PathCase(
        id="10.29",
        title="Many small pieces, one after the other: how often is published.",
        requirement="There MUST NOT be more than 25 publishes in a second.",
        why="That is what AppSync takes of one connection, and each of them is paid. Eighty tokens a "
        "second, one in each, are refused.",
        scenario=MANY,
        on=_appsync,
        check=located(all_of(at_most_publishes(PUBLISHES), text_is_all_sent)),
    ),
)
