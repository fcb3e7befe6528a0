"""The table of timeouts tells what happens: some of its cells, run again in a real browser."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from converse_hops import LoadBalancer

from delivery.cells import Cell, Phase, Run, told
from delivery.chromium import CHROMIUM, Browser, Fetched, Socketed, browsing
from delivery.timeouts import FILE, RUNS, main

STORED = {(cell["path"], cell["phase"]): Cell(**cell) for cell in json.loads(FILE.read_text())}
SAMPLE = [
    ("The reference handler itself", "between"),
    ("1 REST API, `STREAM`, regional", "between"),
    ("1 HTTP API, as the article has it", "total"),
    ("2 Function URL", "total"),
    ("3 WebSocket API", "first"),
    ("4 Load balancer", "first"),
    ("6 AppSync Events", "total"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with browsing() as browser:
        yield browser


def test_each_run_has_its_cell() -> None:
    assert list(STORED) == [(run.path, run.phase) for run in RUNS]


def test_without_a_browser_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("delivery.chromium.CHROMIUM", None)
    assert main("4 Load") == 2
    assert "no chromium on this machine" in capsys.readouterr().err


def test_heartbeats_keep_all_open_but_what_collects() -> None:
    assert {path for path, phase in STORED if phase == "heartbeats" and STORED[path, phase].limit} == {
        "1 HTTP API, as the article has it"
    }


@pytest.mark.xdist_group("chromium")
@pytest.mark.parametrize(("path", "phase"), SAMPLE, ids=[f"{path} {phase}" for path, phase in SAMPLE])
def test_a_cell_comes_out_the_same(browser: Browser, path: str, phase: Phase) -> None:
    (run,) = [run for run in RUNS if (run.path, run.phase) == (path, phase)]
    found, stored = run.cell(browser), STORED[path, phase]
    assert _but_time(found) == _but_time(stored)
    assert found.after < stored.after + 10 * run.speed  # a busy machine is late,
    if seconds := re.search(r" of (\d+) s", found.limit):
        assert found.after >= int(seconds[1])  # and never early


def _but_time(cell: Cell) -> dict[str, Any]:
    return {name: value for name, value in asdict(cell).items() if name != "after"}


def test_who_did_not_cut_is_not_named(browser: Browser) -> None:
    def look(_: Browser, __: Run) -> tuple[list[LoadBalancer], Fetched]:
        return [LoadBalancer("http://127.0.0.1:1")], Fetched(
            200, "text/event-stream", ("data: 1",), None, 2.0
        )

    cell = Run("4", "total", 30, look).cell(browser)
    assert (cell.who, cell.limit, cell.after, cell.sees) == ("", "", 60.0, "all of it, then a clean end")


SSE = "text/event-stream; charset=utf-8"
ERROR = 'data: {"type":"error","code":"total_timeout"}\n\n'


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Fetched(None, "", (), "TypeError: Failed to fetch", 1), "no response: `TypeError: Failed to fetch`"),
        (Fetched(200, SSE, (), "TypeError: network error", 1), "nothing, then `TypeError: network error`"),
        (Fetched(200, SSE, ("data: 1\n\n",), None, 1), "what had come, then a clean end (`done`)"),
        (Fetched(200, SSE, (ERROR,), None, 1), "nothing, then the event `total_timeout` and a clean end"),
        (Fetched(504, "text/html", ("<html>",), None, 1), "504 `text/html`"),
        (
            Fetched(503, "application/json", ('{"message":"x"}',), None, 1),
            '503 `application/json` `{"message":"x"}`',
        ),
        (Socketed(('{"type":"ka"}',), None, "", 1), "keep-alives only, and an open socket"),
        (Socketed(("1", "1"), 1001, "Going away", 1), "what had come, then close 1001 `Going away`"),
        (
            Socketed(('{"message": "Endpoint request timed out"}',), None, "", 1),
            "the message `Endpoint request timed out`, and an open socket",
        ),
    ],
)
def test_what_a_browser_saw_is_told(seen: Fetched | Socketed, said: str) -> None:
    assert told(seen) == said
