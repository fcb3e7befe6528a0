"""Writes the tables of docs/delivery.md from two stored runs; `--check` tells whether they are fresh.

python -m delivery --write          # stores the one, and draws docs/delivery.svg
python -m delivery.timeouts         # stores the other
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from generated import ROOT, main, row

sys.path.insert(0, str(ROOT))

from converse_contract.case import Limits

from delivery.cells import PHASES, Cell
from delivery.constants import CONSTANTS
from delivery.facts import FILE, Facts
from delivery.tables import Table, tables

TIMEOUTS = Path(__file__).with_name("timeouts.json")
WHO = {
    "AppSyncEvents": "AppSync",
    "Function": "Lambda",
    "HttpApi": "the HTTP API",
    "LoadBalancer": "the load balancer",
    "RestApi": "the REST API",
    "WebSocketApi": "the WebSocket API",
}
HEADINGS = {
    "first": "no first byte",
    "between": "silence in the middle",
    "total": "an answer that goes on",
    "heartbeats": "silence with a heartbeat every 15 s",
}


def content() -> str:
    """All tables of both runs."""
    facts = Facts.from_json(FILE.read_text(encoding="utf-8"))
    cells = [Cell(**each) for each in json.loads(TIMEOUTS.read_text(encoding="utf-8"))]
    parts = [
        [f"Measured on {facts.date}; {facts.machine}.", "", "![The paths, drawn](delivery.svg)"],
        ["### What is scripted", "", *constants()],
        *([f"### {table.title}", "", *markdown(table)] for table in tables(facts)),
        ["### Timeouts", "", *timeouts(cells)],
    ]
    return "\n".join(line for part in parts for line in [*part, ""]).rstrip() + "\n"


def constants() -> Iterator[str]:
    """Where each delay comes from."""
    yield row("what", "how long", "where it comes from")
    yield "|---|---|---|"
    for each in CONSTANTS:
        yield row(each.name, str(each), each.source)


def markdown(table: Table) -> Iterator[str]:
    """A table of the run."""
    yield row(*table.headings)
    yield "|" + "|".join("--:" if n in table.right else "---" for n in range(len(table.headings))) + "|"
    for cells in table.rows:
        yield row(*cells)


def timeouts(cells: list[Cell]) -> Iterator[str]:
    """A row for each path, a column for each kind of silence."""
    found = {(cell.path, cell.phase): cell for cell in cells}
    yield row("path", *HEADINGS.values())
    yield "|---" * (len(HEADINGS) + 1) + "|"
    for path in dict.fromkeys(cell.path for cell in cells):
        yield row(path, *(told(found[path, phase]) for phase in PHASES))


def told(cell: Cell) -> str:
    """Who cuts, when, what the browser sees."""
    if not cell.limit:
        return f"nobody in {cell.after:,.0f} s: {cell.sees}"
    who, limit = WHO.get(cell.who, cell.who), cell.limit
    if cell.who == "the handler":  # which names its limits only
        limit = f"`{limit}` of {getattr(Limits(), limit.removesuffix('_timeout')):g} s"
    return f"**{who}**, {limit}, seen after {cell.after:,.0f} s: {cell.sees}"


if __name__ == "__main__":
    raise SystemExit(main("docs/delivery.md", "delivery_page.py", content, sys.argv[1:]))
