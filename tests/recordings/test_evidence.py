"""The counts that docs/evidence.md shows are those of the recordings."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT.parent / "shared" / "recordings"


@pytest.mark.skipif(not FOLDER.exists(), reason=f"no recordings in {FOLDER}")
def test_the_counts_are_those_of_the_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "tools"), *sys.path])
    import evidence_count

    counted, stored = evidence_count.count(FOLDER), json.loads(evidence_count.FILE.read_text())
    assert counted | {"seen": {}} == stored | {"seen": {}}
    assert counted["seen"].items() >= stored["seen"].items()  # a newer botocore may know of more
    assert set(counted["rules"].values()) == {counted["recordings"]["converse-stream"]}
