"""The HTML report: one file, well formed, with everything in it and nothing that escapes."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from converse_contract.case import Evidence
from converse_contract.latency import Comparison
from converse_contract.report import html
from converse_contract.report.svg import TICKS, step, timeline
from converse_contract.transcript import Text
from converse_contract.verdict import Results

VOID = {"meta", "input", "line", "br"}


class Outline(HTMLParser):
    """Checks that elements nest, and gathers text and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    parsed.close()
    assert parsed.open == []
    return parsed


def test_the_page_is_well_formed_and_has_every_case(some_results: Results, comparison: Comparison) -> None:
    page = html.render(some_results, comparison)
    parsed = outline(page)
    outcomes = [
        attributes["data-outcome"]
        for tag, attributes in parsed.seen
        if tag == "details" and "data-outcome" in attributes
    ]
    assert outcomes == ["passed", "failed", "non-strict", "skipped", "could-not-run", "bug-in-the-case"]
    words = " ".join(parsed.text)
    for result in some_results.results:
        assert result.case.title in words
        assert result.case.requirement in words
        assert some_results.replay_of(result) in words
    assert "Finished(<stop>) & more" in words
    assert "6,000 ms" in words


def test_it_needs_nothing_from_elsewhere(some_results: Results) -> None:
    parsed = outline(html.render(some_results))
    assert not [1 for _, attributes in parsed.seen if {"src", "href"} & attributes.keys()]
    assert "url(" not in html.render(some_results)


def test_what_failed_is_open_and_the_rest_is_closed(some_results: Results) -> None:
    parsed = outline(html.render(some_results))
    shown = [
        attributes["data-outcome"]
        for _, attributes in parsed.seen
        if "data-outcome" in attributes and "open" in attributes
    ]
    assert shown == ["failed", "non-strict"]


def test_every_moment_is_listed_and_drawn(some_results: Results) -> None:
    failed = some_results.results[1].evidence
    assert failed is not None
    drawn = timeline(failed)
    moments = len(failed.transcript.arrivals) + 1 + (1 + 3 + 1) + (1 + 1)  # each side's events and ends
    assert drawn.count("<rect") == moments
    assert drawn.count('class="injected"') == 1
    assert "&lt;b&gt;&amp;" in drawn
    outline(drawn)


def test_the_emulator_is_drawn_above_what_arrived(evidence_of: Callable[..., Evidence]) -> None:
    drawn = timeline(evidence_of(Text("a")))
    assert re.findall(r'class="lane"[^>]*>([^<]*)<', drawn) == ["emulator", "received"]


def test_a_drawing_without_any_time_or_call_is_possible(evidence_of: Callable[..., Evidence]) -> None:
    outline(timeline(evidence_of(ended_at=0.0, ending="no response", status=None, exchanges=[])))


@pytest.mark.parametrize(
    ("latest", "distance"), [(0.0, 1e-4), (0.06, 0.01), (0.61, 0.2), (4.4, 1.0), (9.0, 2.0), (900.0, 200.0)]
)
def test_axis_marks_are_round_and_few(latest: float, distance: float) -> None:
    assert step(latest) == pytest.approx(distance)
    assert latest / step(latest) <= TICKS
