"""The rules of the wire are true of real Bedrock: every recorded ConverseStream keeps them."""

import csv
from pathlib import Path

import pytest
from converse_emulator.linting.lint import judge_body

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"


def bodies() -> list[Path]:
    """The recorded ConverseStream bodies that are there."""
    index = RECORDINGS / "INDEX.tsv"
    if not index.exists():
        return []
    rows = csv.DictReader(index.read_text().splitlines(), delimiter="\t")
    files = [RECORDINGS / f"{row['file']}.bin" for row in rows if row["operation"] == "converse-stream"]
    return [file for file in files if file.exists()]


@pytest.mark.skipif(not bodies(), reason="../shared/recordings is not there")
def test_every_recorded_stream_keeps_every_rule() -> None:
    broken = {
        f"{body.name}: {judgement.rule.name}": judgement.breaches
        for body in bodies()
        for judgement in judge_body(body.read_bytes())
        if judgement.breaches
    }
    assert broken == {}
