"""One cell of the table of timeouts: who cut, by which limit, when, and what the browser saw of it."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from converse_hops import Hop

from delivery.chromium import Browser, Fetched, Socketed

Phase = Literal["first", "between", "total", "heartbeats"]
PHASES: tuple[Phase, ...] = get_args(Phase)
Seen = Fetched | Socketed
Look = Callable[[Browser, "Run"], tuple[Sequence[Hop], Seen]]


@dataclass(frozen=True, slots=True)
class Cell:
    """`who` cut, by which `limit`; the browser `sees` it `after` so many seconds of the path's clock.

    Without a limit nobody cut within that time. `speed` is how many times as fast the clock ran.
    """

    path: str
    phase: Phase
    speed: float
    who: str
    limit: str
    after: float
    sees: str


@dataclass(frozen=True, slots=True)
class Run:
    """How a cell comes about: the path, what its handler does, how fast the clocks run, and who looks."""

    path: str
    phase: Phase
    speed: float
    look: Look

    def cell(self, browser: Browser) -> Cell:
        """Run it."""
        hops, seen = self.look(browser, self)
        who, limit = cut(hops) or failed(seen) or ("", "")
        sees = told(seen) if limit or isinstance(seen, Socketed) else "all of it, then a clean end"
        return Cell(self.path, self.phase, self.speed, who, limit, round(seen.after * self.speed, 1), sees)


def cut(hops: Sequence[Hop]) -> tuple[str, str] | None:
    """The hop that noted a cut, the nearest to the browser first, and why."""
    for hop in hops:
        for passage in hop.journal:
            for record in passage.records:
                if record.what == "cut":
                    return type(hop).__name__, record.detail.removeprefix("$default: ").partition(";")[0]
    return None


def failed(seen: Seen) -> tuple[str, str] | None:
    """The handler itself, if it said so."""
    code = _code(seen.texts)
    return ("the handler", code) if code else None


def told(seen: Seen) -> str:
    """What the page has to go by, as Markdown."""
    match seen:
        case Fetched(status=None):
            return f"no response: `{seen.error}`"
        case Fetched(status=200, error=str()):
            return f"{_so_far(seen.texts)}, then `{seen.error}`"
        case Fetched(status=200) if seen.type.startswith("text/event-stream"):
            if code := _code(seen.texts):
                return f"{_so_far(seen.texts)}, then the event `{code}` and a clean end"
            return f"{_so_far(seen.texts)}, then a clean end (`done`)"
        case Fetched():
            return f"{seen.status} `{seen.type}` {_first_line(''.join(seen.texts))}".strip()
        case Socketed(code=None):
            return f"{_so_far(seen.texts)}, and an open socket"
        case Socketed():
            return f"{_so_far(seen.texts)}, then close {seen.code} `{seen.reason}`"


def _so_far(texts: Sequence[str]) -> str:
    """Whether any part of an answer came; of a WebSocket also what else did."""
    whole = "".join(texts)
    if re.search(r'"text"|data: \d|"type": ?"data"', whole) or "1" in texts:
        return "what had come"
    if not _code(texts) and (notice := re.search(r'"message": ?"([^"]*)"', whole)):
        return f"the message `{notice[1]}`"
    return "keep-alives only" if '"ka"' in whole else "nothing"


def _code(texts: Sequence[str]) -> str:
    """The code of the error event that ends an answer, empty if none does."""
    events = [line.removeprefix("data: ") for line in "".join(texts).splitlines() if '"error"' in line]
    parsed = [json.loads(event) for event in events if event.startswith("{")]
    return next((str(event["code"]) for event in parsed if event.get("type") == "error"), "")


def _first_line(text: str) -> str:
    """Of a body that is no page; cut where ids begin."""
    line = "" if text.startswith("<") else text.strip().partition("\n")[0]
    short = line if len(line) < 70 else line.partition(",")[0] + ", …"
    return f"`{short}`" if short else ""
