"""Writes the table of steps into docs/scenarios.md; with `--check`, only says whether it is stale."""

import sys

from converse_emulator.language.grammar import STEPS
from converse_emulator.language.rules import Applied
from generated import main, row


def table() -> str:
    """A row for each step of the language."""
    rows = [
        row(f"`{name}`", step.about, step.form.wants if isinstance(step, Applied) else "none")
        for name, step in STEPS.items()
    ]
    return "\n".join(["| step | what it does | its argument |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    raise SystemExit(main("docs/scenarios.md", "language_table.py", table, sys.argv[1:]))
