"""docs/delivery.md: its drawing is that of the stored run, and what it names as proof is there."""

import re
from pathlib import Path

from delivery.chart import chart
from delivery.facts import FILE, Facts

ROOT = Path(__file__).parents[2]


def test_the_drawing_is_fresh() -> None:
    facts = Facts.from_json(FILE.read_text(encoding="utf-8"))
    assert (ROOT / "docs/delivery.svg").read_text(encoding="utf-8") == chart(facts)


def test_what_shows_where_the_article_errs_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", (ROOT / "docs/delivery.md").read_text(encoding="utf-8")))
    assert len(named) > 5
    assert [each for each in sorted(named) if not (ROOT / each).exists()] == []
