"""The report for a terminal: a line for each case, and under one that does not hold all that was seen."""

from io import StringIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from converse_contract.case import Evidence
from converse_contract.latency import NOTE, TITLE, Comparison
from converse_contract.report.evidence import both_sides, condensed
from converse_contract.verdict import Outcome, Result, Results

MOST = 4  # findings, responses and calls of a case that are printed

MARKS = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "bold red"),
    Outcome.NON_STRICT: ("✗", "yellow"),
    Outcome.SKIPPED: ("\N{EN DASH}", "bright_black"),
    Outcome.COULD_NOT_RUN: ("!", "bold red"),
    Outcome.CASE_BUG: ("!", "bold magenta"),
}


def render(
    results: Results, comparison: Comparison | None = None, *, width: int = 110, color: bool = False
) -> str:
    """The whole report; `width` in columns, `color` for a terminal."""
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(f"handler {results.handler} · emulator {results.emulator}", style="bright_black")
    for title, section in results.by_section():
        console.print(Text(f"\n{title}", style="bold"))
        for result in section:
            _case(console, result, results)
    console.print()
    console.print(_summary(results))
    if comparison:
        console.print()
        console.print(_latency(comparison))
        console.print(NOTE, style="bright_black")
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def _case(console: Console, result: Result, results: Results) -> None:
    mark, style = MARKS[result.verdict.outcome]
    line = Text.assemble("  ", (mark, style), f" {result.case.id:<5} ", result.case.title)
    if result.verdict.outcome is Outcome.NON_STRICT:
        line.append(" (SHOULD)", style)
    console.print(line)
    if result.verdict.reason:
        console.print(Padding(Text(result.verdict.reason, style=style), (0, 0, 0, 10)))
    if result.verdict.outcome is not Outcome.PASSED and result.evidence:
        console.print(Padding(Text(result.case.requirement), (0, 0, 0, 10)))
        console.print(_details(result, result.evidence, results))


def _details(result: Result, evidence: Evidence, results: Results) -> Table:
    """Expected and actual, what arrived, what the emulator did, and how to see it again."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bright_black", no_wrap=True, min_width=14)
    table.add_column(overflow="fold")
    findings = result.verdict.findings
    for finding in findings[:MOST]:
        table.add_row("expected", Text(finding.expected, style="green"))
        table.add_row("actual", Text(finding.actual, style="red"))
    lanes = list(both_sides(evidence))
    sides = [[lane for lane in lanes if lane[0].startswith(side)] for side in ("received", "emulator")]
    between = [lane for lane in lanes if not any(lane in side for side in sides)]
    shown = [*sides[0][:MOST], *between, *sides[1][:MOST]]
    for label, moments in shown:
        table.add_row(label, Text(" · ".join(condensed(moments)) or "no call of Bedrock"))
    if left_out := len(findings[MOST:]) + len(lanes) - len(shown):
        table.add_row("…", f"{left_out} more findings, responses and calls: --html and --json have all")
    table.add_row("replay", Text(results.replay_of(result)))
    return table


def _summary(results: Results) -> Text:
    line = Text()
    for outcome, (_, style) in MARKS.items():
        if count := results.count(outcome):
            line.append(f"{count} {outcome.value}", style).append(" · ")
    return line.append(f"{len(results.results)} in all, in {results.seconds:.1f} s")


def _latency(comparison: Comparison) -> Table:
    """The article's table: what was measured here beside what the article reports."""
    table = Table(title=TITLE, title_justify="left", box=None, padding=(0, 2))
    table.add_column("")
    for heading in ("blocking", "(article)", "streaming", "(article)"):
        table.add_column(heading, justify="right")
    for row in comparison.rows():
        table.add_row(row.name, *(f"{seconds * 1000:,.0f} ms" for seconds in row.seconds))
    return table
