"""Writes what clients show of each fault into docs/faults.md; with `--check`, only says if it is stale."""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml
from converse_fixtures import load_text
from generated import main, row

sys.path.insert(0, str(Path(__file__).parents[1]))

from conformance.faults import CLIENTS, fault_names, load_faults


def tables() -> str:
    """A table for each topic."""
    topics = groupby(fault_names(), key=lambda name: name.split("/")[0])
    return "\n".join("\n".join(_table(topic, list(names))) for topic, names in topics)


def _table(topic: str, names: list[str]) -> Iterator[str]:
    columns = ["scenario", "what happens", "its steps", *CLIENTS.values()]
    yield from (f"### {topic}", "", row(*columns), f"|{'---|' * len(columns)}")
    yield from map(_row, names)
    yield ""


def _row(name: str) -> str:
    scenario = yaml.safe_load(load_text(name))
    reply = scenario.get("reply") or scenario["replies"][0]
    steps = ", ".join(f"`{_step(step)}`" for step in reply if not (isinstance(step, dict) and "text" in step))
    shown = load_faults()[name]
    told = (" or ".join(map(_told, shown.get(client, ["not tried"]))) for client in CLIENTS)
    return row(f"`{name}`", scenario["title"], steps, *told)


def _step(step: Any) -> str:
    text = yaml.safe_dump(step, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return str(text).split("\n")[0].strip().removeprefix("{").removesuffix("}").replace("`", "'")


def _told(outcome: str) -> str:
    error, colon, text = outcome.partition(": ")
    return f"`{error}`: {text.replace('<', '&lt;')}" if colon else outcome


if __name__ == "__main__":
    raise SystemExit(main("docs/faults.md", "faults_table.py", tables, sys.argv[1:]))
