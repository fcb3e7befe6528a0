"""The article's before and after, measured: the same answer, once blocking and dribbled, once streamed.

The answer is the library scenario `text/article-answer`: 500 tokens, the first after 800 ms, the last after
4.4 s. "Before" is a handler that calls the blocking Converse and then pretends to type; "after" is one that
streams.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import httpx

from converse_contract.listen import HandlerUnreachable, Target
from converse_contract.transcript import Text, Transcript
from converse_contract.upstream import session_name

SCENARIO = "text/article-answer"
TITLE = "The same answer, before and after"
NOTE = "blocking: Converse, its answer typed out once it is whole · streaming: ConverseStream and SSE"


class NotMeasured(Exception):
    """A handler did not give the answer that was to be measured."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from the request on: to the first byte of the answer, to its end, and of waiting.

    `wait` is the longest time in which the user saw nothing new.
    """

    first_byte: float
    total: float
    wait: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: before, the article's before, after, the article's after."""

    name: str
    seconds: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A blocking and a streaming handler with the same answer."""

    before: Timing
    after: Timing

    def rows(self) -> Iterator[Row]:
        """The table, line by line."""
        for name, member in ROWS.items():
            timings = (self.before, ARTICLE.before, self.after, ARTICLE.after)
            before, article_before, after, article_after = (getattr(one, member) for one in timings)
            yield Row(name, (before, article_before, after, article_after))


ROWS = {"time to first byte": "first_byte", "total response time": "total", "user-perceived wait": "wait"}
ARTICLE = Comparison(before=Timing(4.2, 4.2, 4.2), after=Timing(0.8, 4.4, 0.8))


def timing(transcript: Transcript) -> Timing:
    """The timing of one response. Raises NotMeasured if it brought no text or did not end well."""
    shown = [
        arrival.at
        for arrival in transcript.arrivals
        if isinstance(arrival.event, Text) and arrival.event.text
    ]
    if not shown or transcript.ending != "complete":
        raise NotMeasured(f"no whole answer: {transcript.ending}, {len(shown)} texts")
    return Timing(
        shown[0], transcript.ended_at, max(after - before for before, after in pairwise([0.0, *shown]))
    )


def compare(before: Target, after: Target) -> Comparison:
    """Ask both handlers at the same time. Raises NotMeasured when one does not bring the whole answer."""
    return asyncio.run(_compare(before, after))


async def _compare(before: Target, after: Target) -> Comparison:
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
        try:
            transcripts = await asyncio.gather(
                *(one.listener(client).listen(session_name("latency"), SCENARIO) for one in (before, after))
            )
        except HandlerUnreachable as error:
            raise NotMeasured(str(error)) from error
    return Comparison(*map(timing, transcripts))
