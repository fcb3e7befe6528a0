"""Hops cut what is silent, and what lasts; their limits are set so that a case has to wait for seconds."""

from typing import Any

from converse_contract.case import Limits
from converse_contract.checks import all_of, failed, finished, located, shows_text, text_is_all_sent
from converse_contract.delivery.case import PathCase
from converse_contract.delivery.path import Path, Tuning

HALF = 0.55  # of a silence: when a hop would have cut it
EVERY = 0.2  # seconds between two words of an answer that does not end
MARGIN = 2.0  # seconds that a path allows more than the handler itself


def _cuts_silence(path: Path) -> bool:
    return path.idle is not None


def _cuts_what_lasts(path: Path) -> bool:
    return path.total is not None


def _silence(limit: float) -> float:
    """As long as a handler may wait, nearly."""
    return 0.8 * limit


def _between(limits: Limits) -> list[Any]:
    return [[{"text": "Your plan "}, {"wait": _silence(limits.between_bytes)}, {"text": "renews."}]]


def _before(limits: Limits) -> list[Any]:
    return [[{"wait": _silence(limits.first_byte)}, {"text": "Your plan renews."}]]


def _endless(limits: Limits) -> list[Any]:
    return [[{"text": "more " * int(3 * limits.total / EVERY), "every": EVERY, "split": "words"}]]


CASES = (
    PathCase(
        id="10.14",
        title="The model is silent in mid-sentence for longer than a hop allows.",
        requirement="The answer MUST come through, kept alive by heartbeats.",
        why="A load balancer cuts after 60 s without a byte, CloudFront and an edge-optimised REST API "
        "after 30 s, a WebSocket API after 10 min: the browser sees a broken connection, and the model is "
        "paid.",
        scenario=_between,
        on=_cuts_silence,
        needs=frozenset({"heartbeat"}),
        tuning=lambda limits: Tuning(idle=HALF * _silence(limits.between_bytes)),
        check=located(all_of(text_is_all_sent, finished("end_turn"))),
    ),
    PathCase(
        id="10.15",
        title="The model is silent from the start for longer than a hop allows.",
        requirement="The response MUST begin before the model does, and come through.",
        why="Who waits for the first word with the response's head gets a 504, and three generations "
        "behind CloudFront, which asks again.",
        scenario=_before,
        on=_cuts_silence,
        needs=frozenset({"heartbeat"}),
        tuning=lambda limits: Tuning(idle=HALF * _silence(limits.first_byte)),
        check=located(all_of(text_is_all_sent, finished("end_turn"))),
    ),
    PathCase(
        id="10.16",
        title="The model goes on for longer than the path lives.",
        requirement="The handler MUST end the answer itself, with an error that says so, before it is cut.",
        why="A function's time is up after 15 min at most and a WebSocket's after 2 h. What is cut ends "
        "without a word; a function URL lets it look like success.",
        scenario=_endless,
        on=_cuts_what_lasts,
        needs=frozenset({"short_total"}),
        tuning=lambda limits: Tuning(total=limits.total + MARGIN),
        check=located(all_of(shows_text, failed("total_timeout", partial=True))),
    ),
)
