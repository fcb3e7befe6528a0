"""Every recording is answered again by some test, or is a fake: none is left out silently."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.recordings import test_converse_again, test_errors_again, test_native_again

FOLDER = Path(__file__).parents[3] / "shared" / "recordings"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"no recordings in {FOLDER}")


def sidecars() -> dict[str, Any]:
    return {
        file.name.removesuffix(".bin.json"): json.loads(file.read_text())
        for file in FOLDER.glob("*.bin.json")
    }


def is_fake(name: str, about: Any) -> bool:
    """Written by the author of a test, as the sidecar or the research of the recordings says."""
    return bool(about.get("synthetic")) or any(fake in name for fake in test_converse_again.FAKES)


def test_every_recording_is_answered_again() -> None:
    again = {
        *(each.name for each in test_converse_again.STREAMS),
        *(each.name for each in test_converse_again.ANSWERS),
        *(each.name for each in test_errors_again.ERRORS),
        *(each.name for each in test_native_again.RECORDINGS),
    }
    found = sidecars()
    left = {name for name in found.keys() - again if not is_fake(name, found[name])}
    assert left == set()
    assert again <= found.keys()


def test_how_many_of_how_many() -> None:
    found = sidecars()
    assert (len(found), sum(is_fake(name, about) for name, about in found.items())) == (185, 5)
    assert len(test_converse_again.STREAMS) == 88  # of ConverseStream, but for padding, latency, counts
    assert len(test_converse_again.ANSWERS) == 20  # of Converse, but for latency and counts
    assert len(test_errors_again.ERRORS) == 38  # errors, but for dates and request ids
    assert len(test_native_again.RECORDINGS) == 34  # of InvokeModelWithResponseStream, but for ids and counts
    assert len(test_native_again.DIFFERENT) == 8  # of those differ, each for a reason


def test_the_index_has_all_streams() -> None:
    with (FOLDER / "INDEX.tsv").open(newline="") as lines:
        listed = {row["file"] for row in csv.DictReader(lines, delimiter="\t")}
    files = {file.stem for file in FOLDER.glob("*.bin")}
    assert {name for name in files if not name.startswith(("CONVERSE-", "ERR-"))} == listed
