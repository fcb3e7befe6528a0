"""Writes the table of wraps into docs/scenarios.md; with `--check`, only says whether it is stale."""

import sys

from converse_emulator.language.wrap_form import FIELDS
from generated import main, row


def table() -> str:
    """A row for each member of a wrap."""
    rows = [row(f"`{name}`", field.about, field.form.wants) for name, field in FIELDS.items()]
    return "\n".join(["| member | what it does | its value |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    raise SystemExit(main("docs/scenarios.md", "wraps_table.py", table, sys.argv[1:]))
