"""Writes the table of conditions into docs/scenarios.md; with `--check`, only says whether it is stale."""

import sys

from converse_emulator.language.conditions import WHEN
from generated import main, row


def table() -> str:
    """A row for each member of `when`."""
    rows = [row(f"`{name}`", field.about, field.form.wants) for name, field in WHEN.fields.items()]
    return "\n".join(["| member | when it holds | its value |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    raise SystemExit(main("docs/scenarios.md", "conditions_table.py", table, sys.argv[1:]))
