"""Pages with a generated part: written between two markers, or only checked to be up to date."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(page: str, tool: str, content: Callable[[], str], arguments: Sequence[str]) -> int:
    """Write `content` into `page` (from the repository's root); with `--check`, 1 if it is stale."""
    path = ROOT / page
    begin, end = f"<!-- written by tools/{tool} -->", f"<!-- end of what tools/{tool} writes -->"
    now = path.read_text(encoding="utf-8")
    before, _, rest = now.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{page} lacks the markers {begin} and {end}")
    wanted = f"{before}{begin}\n\n{content()}\n{end}{after}"
    if "--check" not in arguments:
        path.write_text(wanted, encoding="utf-8")
        return 0
    if now != wanted:
        print(f"{page} is stale: run python tools/{tool}", file=sys.stderr)
    return int(now != wanted)


def row(*cells: str) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cell.strip().replace('|', chr(92) + '|') for cell in cells)} |"
