"""The article's table is measured: a whole run over two of its rows, with a short answer."""

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from delivery.__main__ import main, show
from delivery.chart import chart
from delivery.constants import BEDROCK, BROWSER, FIRST_TOKEN, START
from delivery.facts import FILE, Facts
from delivery.rows import BY_NAME
from delivery.run import run

NETWORK = 2 * (BROWSER.value + BEDROCK.value)


@pytest.fixture(scope="module")
def facts() -> Facts:
    rows = [row for row in BY_NAME.values() if row.number in (2, 5) or row.path == "http-api"]
    return run(lambda _: None, rows, "It renews on the first of March, and then every year.")


def test_a_function_url_streams_and_what_does_not_is_found_out(facts: Facts) -> None:
    api, url, illusion = facts.paths
    assert facts.wrong == []
    assert [each.complete for each in facts.paths] == [True] * 3
    assert [each.streams for each in facts.paths] == [False, True, False]
    assert api.held_by.startswith("the HTTP API, with no response streaming, which it does not have")
    assert illusion.held_by.startswith("the handler: it calls Converse")
    assert url.held_by == ""


def test_the_first_byte_is_not_before_what_is_scripted(facts: Facts) -> None:
    _, url, _ = facts.paths
    assert url.first_byte >= FIRST_TOKEN.value + START.value + NETWORK == url.scripted
    assert url.first_byte < url.total


def test_bytes_are_counted_and_each_hop_is_timed(facts: Facts) -> None:
    _, url, _ = facts.paths
    assert url.wire > url.text > 0
    assert set(url.lags) == {"function URL", "Lambda service"}
    assert all(0 <= lag.median <= lag.p95 for lag in [*url.lags.values(), url.whole_way])


def test_a_break_shows_by_an_event_and_a_death_by_nothing(facts: Facts) -> None:
    _, url, illusion = facts.paths
    assert url.model_breaks == "what had come, then the event `stream_interrupted`"
    assert url.handler_dies == "what had come, then a clean end without a terminal event"
    assert "Preparing your report…" in url.tool
    assert illusion.handler_dies == "nothing, then a cut"


def test_the_wait_falls_as_in_the_article(facts: Facts) -> None:
    assert facts.before[2] >= 4.2
    assert 0.8 + NETWORK <= facts.after[2] < facts.before[2] / 2


def test_the_stored_run_is_one_in_which_all_holds() -> None:
    stored = Facts.from_json(FILE.read_text())
    assert stored.wrong == []
    assert [found.path for found in stored.paths] == list(BY_NAME)
    assert Facts.from_json(stored.to_json()) == stored


@pytest.mark.parametrize(
    ("number", "changes", "said"),
    [
        (4, {"complete": False}, "the text is not the model's"),
        (2, {"streams": False}, "does not stream"),
        (5, {"streams": True}, "was not found out"),
        (5, {"held_by": ""}, "nobody knows what holds it"),
    ],
)
def test_what_does_not_hold_is_said(number: int, changes: dict[str, Any], said: str) -> None:
    stored = Facts.from_json(FILE.read_text())
    paths = tuple(
        replace(found, **changes) if found.path.startswith(str(number)) else found for found in stored.paths
    )
    assert any(said in problem for problem in replace(stored, paths=paths).wrong)


def test_a_wait_that_stays_is_said() -> None:
    stored = Facts.from_json(FILE.read_text())
    wait = f"{stored.before[2]:.1f} s"
    assert replace(stored, after=stored.before).wrong == [f"the wait fell from {wait} to {wait} only"]


@pytest.mark.parametrize(("complete", "status"), [(True, 0), (False, 1)])
def test_the_command_fails_unless_all_holds(
    complete: bool, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stored = Facts.from_json(FILE.read_text())
    found = replace(stored, paths=tuple(replace(each, complete=complete) for each in stored.paths))
    monkeypatch.setattr("delivery.__main__.run", lambda _: found)
    monkeypatch.setattr("sys.argv", ["delivery"])
    monkeypatch.chdir(tmp_path)
    assert main() == status
    assert (tmp_path / "hops.svg").read_text() == chart(found)


def test_all_is_shown() -> None:
    stored = Facts.from_json(FILE.read_text())
    console = Console(width=200, file=StringIO())
    show(stored, console)
    assert isinstance(console.file, StringIO)
    said = console.file.getvalue()
    for found in stored.paths:
        assert found.path in said
    assert chart(stored).count('class="lane"') == len(stored.paths) + 2
