"""Writes the tables of scenarios into fixtures/README.md; with `--check`, only says if they are stale."""

import sys
from itertools import groupby

import yaml
from converse_fixtures import load_text, names
from generated import main, row


def tables() -> str:
    """One table a topic."""
    topics = groupby(names(), key=lambda name: name.split("/")[0])
    return "\n".join(_table(topic, list(members)) for topic, members in topics)


def _table(topic: str, members: list[str]) -> str:
    rows = "\n".join(map(_row, members))
    return f"### {topic}\n\n| scenario | what happens | what a good handler does |\n|---|---|---|\n{rows}\n"


def _row(name: str) -> str:
    scenario = yaml.safe_load(load_text(name))
    return row(f"`{name}`", scenario["title"], scenario["handlers"])


if __name__ == "__main__":
    raise SystemExit(main("fixtures/README.md", "fixtures_table.py", tables, sys.argv[1:]))
