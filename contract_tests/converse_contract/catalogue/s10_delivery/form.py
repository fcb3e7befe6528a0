"""What the browser gets is what the program said: status, headers and body, and not what a hop made of it."""

from converse_contract.case import AskWrongly
from converse_contract.checks import (
    all_of,
    event_stream,
    keeps_caches_out,
    located,
    no_leaks,
    refused,
    shows_text,
    text_is_all_sent,
)
from converse_contract.delivery.case import PathCase
from converse_contract.delivery.path import Path

ANSWER = ["Your plan renews on 1 March."]


def _sse(path: Path) -> bool:
    return path.protocol == "sse"


CASES = (
    PathCase(
        id="10.7",
        title="An answer over the path: how the response presents itself at the browser.",
        requirement="It MUST arrive as HTTP 200 and text/event-stream, without length and compression.",
        why="A function that does not stream arrives as application/json, one without metadata as "
        "application/octet-stream or as a 500. EventSource takes none of them, and does not try again.",
        scenario=ANSWER,
        on=_sse,
        check=located(event_stream),
    ),
    PathCase(
        id="10.8",
        title="An answer over the path: the headers that keep caches and transformers away.",
        requirement="Cache-Control: no-cache, no-transform MUST survive every hop.",
        why="A hop that builds the response's head anew drops what it does not know, and the next cache "
        "collects.",
        scenario=ANSWER,
        on=_sse,
        check=located(keeps_caches_out),
    ),
    PathCase(
        id="10.9",
        title="An answer over the path: its body.",
        requirement="The body MUST arrive.",
        why="A function URL or a REST API that buffers takes status and headers from a function that "
        "streams, and throws the rest away: 200, and nothing.",
        scenario=ANSWER,
        check=located(all_of(shows_text, text_is_all_sent)),
    ),
    PathCase(
        id="10.10",
        title="A request without a question.",
        requirement="The handler MUST refuse it in its own words, without anything that is internal.",
        why="A function that raises is a 502 to some fronts, and to a function URL that streams a stack "
        "trace for everybody to read, under status 200.",
        scenario=ANSWER,
        drive=AskWrongly(),
        check=located(all_of(refused, no_leaks)),
    ),
)
