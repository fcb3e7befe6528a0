"""Write the table of scenarios into fixtures/README.md; with `--check`, only say whether it is up to date."""

import sys
from itertools import groupby
from pathlib import Path

import yaml
from converse_fixtures import load_text, names

README = Path(__file__).parents[1] / "fixtures" / "README.md"
BEGIN, END = "<!-- scenarios: written by tools/fixtures_table.py -->", "<!-- end of scenarios -->"


def tables() -> str:
    """One table a topic."""
    topics = groupby(names(), key=lambda name: name.split("/")[0])
    return "\n".join(_table(topic, list(members)) for topic, members in topics)


def _table(topic: str, members: list[str]) -> str:
    rows = "\n".join(map(_row, members))
    return f"### {topic}\n\n| scenario | what happens | what a good handler does |\n|---|---|---|\n{rows}\n"


def _row(name: str) -> str:
    scenario = yaml.safe_load(load_text(name))
    cells = (f"`{name}`", scenario["title"], scenario["handlers"])
    return f"| {' | '.join(cell.strip().replace('|', chr(92) + '|') for cell in cells)} |"


def written(readme: str) -> str:
    """`readme` with the tables as they should be."""
    before, _, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{README.name} lacks the markers {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Exit status: 0, or with `--check` 1 for a stale table."""
    now = README.read_text(encoding="utf-8")
    wanted = written(now)
    if arguments == ["--check"]:
        if now != wanted:
            print(f"{README} is stale: run python tools/fixtures_table.py", file=sys.stderr)
        return int(now != wanted)
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
