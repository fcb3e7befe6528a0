"""Numbered events in the browser: order, duplicates, gaps and silence."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("chromium")

Serve = Callable[..., str]

# What the inbox gives out of `pushes`, and why it ended; `missed` fetches from `kept`, if that is given.
DRIVE = """async ({ pushes, kept, options }) => {
    const { Inbox } = await import("/static/sequence.js");
    const asked = [];
    const missed = kept && (async (seq) => {
        asked.push(seq);
        return kept.filter((event) => event.seq > seq);
    });
    const inbox = new Inbox({ silence: 200, gap: 50, ...options, missed });
    const got = [];
    for (const event of pushes) inbox.push(event);
    try {
        for await (const event of inbox) got.push(event.seq);
    } catch (error) {
        return { got, why: `${error.constructor.name}: ${error.message}`, asked };
    }
    return { got, why: null, asked };
}"""


def event(seq: int) -> dict[str, Any]:
    return {"seq": seq, "type": "content_block_delta"}


def last(seq: int) -> dict[str, Any]:
    return {"seq": seq, "type": "message_stop"}


@pytest.fixture
def drive(page: Any, serve: Serve) -> Callable[..., Any]:
    page.goto(serve())

    def run(*pushes: Any, kept: Any = None, **options: Any) -> Any:
        return page.evaluate(DRIVE, {"pushes": list(pushes), "kept": kept, "options": options})

    return run


def test_what_overtakes_waits_and_what_comes_twice_is_dropped(drive: Callable[..., Any]) -> None:
    pushes = [event(2), event(1), event(1), last(4), event(2), event(3), event(3)]
    assert drive(*pushes) == {"got": [1, 2, 3, 4], "why": None, "asked": []}


def test_a_gap_that_stays_is_an_interruption(drive: Callable[..., Any]) -> None:
    found = drive(event(1), event(3), last(4))
    assert found == {"got": [1], "why": "Interrupted: events were lost", "asked": []}


def test_a_gap_is_not_waited_for_once_too_much_waits_behind_it(drive: Callable[..., Any]) -> None:
    found = drive(event(2), event(3), event(4), window=3, gap=60_000, silence=60_000)
    assert found["why"] == "Interrupted: too many events wait for one that was lost"


def test_silence_before_the_terminal_event_is_an_interruption(drive: Callable[..., Any]) -> None:
    assert drive(event(1))["why"] == "Interrupted: nothing came for too long"
    assert drive()["why"] == "Interrupted: nothing came for too long"


def test_what_was_missed_can_be_fetched(drive: Callable[..., Any]) -> None:
    found = drive(event(1), event(4), kept=[event(1), event(2), event(3), event(4), last(5)])
    assert found == {"got": [1, 2, 3, 4, 5], "why": None, "asked": [1]}


def test_what_cannot_be_fetched_is_lost(drive: Callable[..., Any]) -> None:
    found = drive(event(1), last(3), kept=[event(1)])
    assert found == {"got": [1], "why": "Interrupted: events were lost", "asked": [1]}
