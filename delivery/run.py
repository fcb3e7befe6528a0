"""Runs the same answer over the six paths, and what else the article's table tells of them."""

import os
import platform
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

import yaml
from converse_contract.delivery.stacks import Placed
from converse_contract.latency import Timing, compare
from converse_contract.serving import serving
from converse_contract.transcript import Text, Transcript
from converse_fixtures import scenarios
from converse_hops import Hop

from delivery.constants import BEDROCK, BROWSER, FIRST_TOKEN, RATE, START, TOKENS, network
from delivery.facts import Facts, Found
from delivery.journey import BREAKS, TOOL, Journey, journey
from delivery.observed import ending, held_by, lag, lags, pause, sent_at
from delivery.relay import Relay
from delivery.rows import ROWS, Row

T = TypeVar("T")
Note = Callable[[str], None]


def run(note: Note, rows: Sequence[Row] = ROWS, text: str | None = None) -> Facts:
    """All of it, in a minute and a half; `note` is told what is done. `text` instead of the 500 tokens."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        emulator = stack.enter_context(serving("converse_emulator", "serve", "--port", "0"))
        bedrock = stack.enter_context(Relay(emulator, BEDROCK.value))
        note(f"starting {len(rows)} paths")
        with ThreadPoolExecutor(len(rows)) as threads:

            def all_at_once(do: Callable[[Journey], T]) -> list[T]:
                return list(threads.map(do, journeys))

            opened = [journey(row, emulator, bedrock.url, folder) for row in rows]
            journeys = [stack.enter_context(one) for one in opened]
            all_at_once(lambda one: one.answer(["Ready."]))
            note("gates, tools and breaks, on all at once")
            stalls = all_at_once(_streams)
            tools = all_at_once(lambda one: pause(one.answer(TOOL)[0]))
            breaks = all_at_once(lambda one: ending(one.answer(BREAKS)[0]))
            measured = _measured(journeys, text or article_answer(), note)
            note("before and after")
            by_number = {one.row.number: one for one in journeys}
            comparison = compare(by_number[5].target, by_number[2].target)
            note("handlers die")
            deaths = all_at_once(lambda one: ending(one.killed()))
        paths = tuple(
            Found(
                path=one.row.name,
                streams=not held,
                held_by=held,
                model_breaks=broken,
                handler_dies=dead,
                tool=tool,
                **measured[one.row.name],
            )
            for one, held, broken, dead, tool in zip(journeys, stalls, breaks, deaths, tools, strict=True)
        )
    now = datetime.now(UTC).strftime("%Y-%m-%d")
    return Facts(now, machine(), paths, _seconds(comparison.before), _seconds(comparison.after))


def machine() -> str:
    """What kind of machine this is, and how busy."""
    load, system = os.getloadavg()[0], f"{platform.system()} {platform.machine()}"
    python = f"Python {platform.python_version()}"
    return f"{system}, {os.cpu_count()} CPUs, {python}, load average {load:.1f}"


def article_answer() -> str:
    """The text that is said: 500 tokens."""
    file = Path(scenarios.__path__[0]) / "text" / "article-answer.yaml"
    return str(yaml.safe_load(file.read_text(encoding="utf-8"))["reply"][1]["text"])


def _streams(one: Journey) -> str:
    """Who holds the answer's text back, empty if nobody does."""
    stalled, exchanges = one.gated()
    return held_by(exchanges, one.way.states(exchanges[0]["session"])) if stalled else ""


def _measured(journeys: Sequence[Journey], text: str, note: Note) -> dict[str, dict[str, Any]]:
    """The answer over each path, by name: one after the other, not to be in each other's way. Those that do
    not stream are measured at once: all they do is wait.
    """
    ends, found = list[int](), dict[str, dict[str, Any]]()
    for one in journeys:
        if one.row.streams:
            note(f"the answer over {one.row.name}")
            found[one.row.name] = _measure(one, text, ends)
    waiting = [one for one in journeys if not one.row.streams]
    note(f"the answer over {', '.join(one.row.name for one in waiting)}")
    with ThreadPoolExecutor(len(waiting)) as threads:
        numbers = list(threads.map(lambda one: _measure(one, text, ends), waiting))
    return found | {one.row.name: each for one, each in zip(waiting, numbers, strict=True)}


def _measure(one: Journey, text: str, ends: list[int]) -> dict[str, Any]:
    """Over this path. `ends` tells after how many characters each token ends; the first one fills it."""
    before = sum(relay.down for relay in one.relays)
    passages = {hop: len(hop.journal) for place in one.way.placed for hop in place.hops}
    transcript, exchanges = one.answer(_script(text, one.row))
    ends.extend([] if ends else accumulate(len(each.text) for each in transcript.of(Text)))
    return {
        **_times(one.row, transcript, [at for relay in one.relays for at in relay.asked]),
        "complete": transcript.text == text,
        "wire": sum(relay.down for relay in one.relays) - before,
        "text": len(text.encode()),
        "lags": {place.name: lag(_lags_since(place, passages)) for place in one.way.placed},
        "whole_way": lag(_late(one.row, transcript, sent_at(exchanges), ends)),
    }


def _lags_since(place: Placed, passages: Mapping[Hop, int]) -> Iterator[float]:
    """How long each piece was at that place since there were so many passages."""
    for hop in place.hops:
        for passage in hop.journal[passages[hop] :]:
            yield from lags(passage.records)


def _script(text: str, row: Row) -> list[Any]:
    wait, every = _wait(row), 1 / RATE.value
    return [[{"wait": f"{wait * 1000:g}ms"}, {"text": text, "every": f"{every * 1000:g}ms"}]]


def _wait(row: Row) -> float:
    return FIRST_TOKEN.value + (START.value if row.starts else 0.0)


def _times(row: Row, transcript: Transcript, asked: Sequence[float]) -> dict[str, float]:
    """First byte, total and what was before, from the moment at which the question left the browser."""
    shown = [transcript.sent_at + arrival.at for arrival in _texts(transcript)]
    left = max(at for at in asked if at <= shown[0])
    generation = 0.0 if row.streams else (TOKENS.value - 1) / RATE.value
    return {
        "first_byte": shown[0] - left,
        "scripted": _wait(row) + network(row.posts) + generation,
        "setup": left - transcript.sent_at,
        "total": shown[-1] - left,
    }


def _late(row: Row, transcript: Transcript, sent: Sequence[float], ends: Sequence[int]) -> Iterator[float]:
    """How long each text took from the emulator's write on, without what the network was told to take.

    A path may join tokens; `ends` tells which.
    """
    scripted, length = network(row.posts) - BEDROCK.value - BROWSER.value, 0
    for arrival in _texts(transcript) if row.streams else ():
        length += len(arrival.event.text)
        yield transcript.sent_at + arrival.at - sent[bisect_left(ends, length)] - scripted


def _texts(transcript: Transcript) -> list[Any]:
    return [each for each in transcript.arrivals if isinstance(each.event, Text) and each.event.text]


def _seconds(timing: Timing) -> tuple[float, float, float]:
    return timing.first_byte, timing.total, timing.wait
