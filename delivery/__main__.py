"""`python -m delivery [--write]`: the article's table beside what is measured here; a minute and a half.

Writes hops.svg, or with `--write` what docs/delivery.md is made from. Exit status: 0 all texts are whole, the
gates proved what streams, and the fake was found out; 1 something of that does not hold.
"""

import argparse
import signal
import sys
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Shown

from delivery.chart import chart
from delivery.constants import CONSTANTS
from delivery.facts import FILE, Facts
from delivery.run import run
from delivery.tables import Table, tables

CHART = FILE.parents[1] / "docs" / "delivery.svg"
HERE = Path("hops.svg")


def main() -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m delivery", description=__doc__)
    parser.add_argument("--write", action="store_true", help="store the run for docs/delivery.md")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False, emoji=False)
    for each in CONSTANTS:
        console.print(f"[bright_black]{each.name}: {each} ({escape(each.source)})[/]")
    with console.status("") as status:
        facts = run(lambda what: status.update(f"{what} …"))
    show(facts, console)
    if options.write:
        FILE.write_text(facts.to_json(), encoding="utf-8")
        CHART.write_text(chart(facts), encoding="utf-8")
    else:
        HERE.write_text(chart(facts), encoding="utf-8")
        console.print(f"\n{HERE} has it drawn")
    for problem in facts.wrong:
        console.print(f"[bold red]{escape(problem)}[/]")
    return 1 if facts.wrong else 0


def show(facts: Facts, console: Console) -> None:
    """Print all tables."""
    for table in tables(facts):
        console.print()
        console.print(_shown(table))
    console.print(f"\n{facts.date}, {facts.machine}", style="bright_black")


def _shown(table: Table) -> Shown:
    shown = Shown(title=table.title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for number, heading in enumerate(table.headings):
        shown.add_column(heading, justify="right" if number in table.right else "left", vertical="bottom")
    for row in table.rows:
        shown.add_row(*(escape(cell.replace("`", "")).replace("**", "") for cell in row))
    return shown


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended in either case
    with suppress(KeyboardInterrupt):
        raise SystemExit(main())
    raise SystemExit(130)
