"""The report as one HTML file that needs nothing else: it can be mailed, or kept by CI as an artifact."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from importlib.resources import files

from converse_contract.case import Level, explain
from converse_contract.latency import NOTE, TITLE, Comparison
from converse_contract.report.evidence import both_sides
from converse_contract.report.svg import timeline
from converse_contract.verdict import Outcome, Result, Results

MARKS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✗",
    Outcome.NON_STRICT: "✗",
    Outcome.SKIPPED: "\N{EN DASH}",
    Outcome.COULD_NOT_RUN: "!",
    Outcome.CASE_BUG: "!",
}


def render(results: Results, comparison: Comparison | None = None) -> str:
    """The whole page."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><title>converse-contract</title>',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<style>{_asset('page.css')}</style></head><body>",
            *_header(results),
            *(_latency(comparison) if comparison else ()),
            *(part for title, section in results.by_section() for part in _section(title, section, results)),
            '<p class="nothing" hidden>No case matches.</p>',
            f"<script>{_asset('page.js')}</script></body></html>\n",
        ]
    )


def _asset(name: str) -> str:
    return (files("converse_contract.report") / name).read_text("utf-8")


def _slug(outcome: Outcome) -> str:
    return outcome.value.replace(" ", "-")


def _header(results: Results) -> Iterator[str]:
    when = datetime.fromtimestamp(results.started_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    yield "<header><h1>Contract of a streaming chat handler</h1>"
    yield (
        f"<p>handler <code>{escape(results.handler)}</code> · emulator "
        f"<code>{escape(results.emulator)}</code> · {when} · {len(results.results)} cases in "
        f"{results.seconds:.1f} s</p>"
    )
    yield '<nav><input type="search" placeholder="Filter by id or words" aria-label="Filter">'
    for outcome in Outcome:
        if count := results.count(outcome):
            yield (
                f'<button type="button" class="{_slug(outcome)}" data-outcome="{_slug(outcome)}" '
                f'aria-pressed="false"><b>{count}</b> {outcome.value}</button>'
            )
    yield "</nav></header>"


def _latency(comparison: Comparison) -> Iterator[str]:
    yield f'<section class="latency"><h2>{escape(TITLE)}</h2><table><thead><tr><th></th>'
    yield "<th>blocking</th><th>article</th><th>streaming</th><th>article</th></tr></thead><tbody>"
    for row in comparison.rows():
        cells = "".join(f"<td>{seconds * 1000:,.0f} ms</td>" for seconds in row.seconds)
        yield f"<tr><th>{escape(row.name)}</th>{cells}</tr>"
    yield "</tbody></table>"
    longest = max(comparison.before.total, comparison.after.total)
    for name, timing in (("blocking", comparison.before), ("streaming", comparison.after)):
        total, wait = (100 * seconds / longest for seconds in (timing.total, timing.wait))
        yield f'<div class="bar"><span>{name}</span><div><i class="total" style="width:{total:.1f}%"></i>'
        yield f'<i class="wait" style="width:{wait:.1f}%"></i></div></div>'
    yield '<p class="legend"><i class="wait"></i> the user waits <i class="total"></i> text appears</p>'
    yield f'<p class="legend">{escape(NOTE)}</p>'
    yield "</section>"


def _section(title: str, section: list[Result], results: Results) -> Iterator[str]:
    passed = sum(result.verdict.outcome is Outcome.PASSED for result in section)
    yield f"<section><h2>{escape(title)} <small>{passed} of {len(section)} passed</small></h2>"
    for result in section:
        yield from _case(result, results)
    yield "</section>"


def _case(result: Result, results: Results) -> Iterator[str]:
    case, verdict = result.case, result.verdict
    slug, state = _slug(verdict.outcome), " open" if verdict.findings else ""
    yield f'<details class="{slug}" data-outcome="{slug}"{state}><summary>'
    yield f'<b class="mark">{MARKS[verdict.outcome]}</b> <code>{escape(case.id)}</code> {escape(case.title)}'
    yield "<em>SHOULD</em>" if case.level is Level.SHOULD else ""
    yield f"<time>{result.seconds:.2f} s</time></summary><p>{escape(case.requirement)}</p>"
    yield f'<p class="why">{escape(case.why)}</p><dl>'
    if verdict.reason:
        yield f"<dt>{escape(verdict.outcome.value)}</dt><dd>{escape(verdict.reason)}</dd>"
    for finding in verdict.findings:
        yield f'<dt>expected</dt><dd class="expected">{escape(finding.expected)}</dd>'
        yield f'<dt>actual</dt><dd class="actual">{escape(finding.actual)}</dd>'
    scenario = case.scenario if isinstance(case.scenario, str) else "literal replies"
    yield f"<dt>scenario</dt><dd>{escape(scenario)}; the client {escape(explain(case.drive))}</dd>"
    yield f"<dt>replay</dt><dd><code>{escape(results.replay_of(result))}</code></dd></dl>"
    if result.evidence:
        yield f'<div class="scroll">{timeline(result.evidence)}</div>'
        for label, moments in both_sides(result.evidence):
            yield f"<details><summary>{escape(label)} ({len(moments)})</summary><ol>"
            yield "".join(
                f"<li{' class=injected' if moment.injected else ''}><time>+{moment.at:.3f}</time>"
                f"{escape(moment.what)}</li>"
                for moment in moments
            )
            yield "</ol></details>"
    yield "</details>"
