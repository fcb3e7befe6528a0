"""The JSON report: everything, in one object."""

import json

from converse_contract.latency import Comparison
from converse_contract.report import json as report
from converse_contract.verdict import Results


def test_everything_is_in_it(some_results: Results, comparison: Comparison) -> None:
    told = json.loads(report.render(some_results, comparison))
    assert told["handler"] == "http://127.0.0.1:8000"
    assert told["limits"]["first_byte"] == 3.0
    assert told["counts"] == {
        "passed": 1,
        "failed": 1,
        "non-strict": 1,
        "skipped": 1,
        "could not run": 1,
        "bug in the case": 1,
    }
    assert told["latency"]["after"] == {"first_byte": 0.8, "total": 4.4, "wait": 0.8}
    assert [case["id"] for case in told["cases"]] == ["1.1", "1.2", "1.3", "2.1", "2.2", "2.10"]


def test_a_failure_has_findings_and_both_sides(some_results: Results) -> None:
    case = json.loads(report.render(some_results))["cases"][1]
    assert case["outcome"] == "failed"
    assert case["findings"][0] == {"expected": "Failed", "actual": "Finished(<stop>) & more"}
    (transcript,) = case["evidence"]["transcripts"]
    assert transcript["arrivals"][1] == {
        "at": 0.02,
        "id": "2",
        "event": "Text",
        "members": {"text": "<b>& \x1b[31m\x00", "index": 0},
    }
    assert len(transcript["arrivals"]) == 42
    assert [exchange["miss"] for exchange in case["evidence"]["exchanges"]] == [
        None,
        "nothing is armed <here>",
    ]
    assert case["evidence"]["notes"] == {"probe_seconds": 0.5}


def test_what_was_not_run_has_a_reason_and_no_evidence(some_results: Results) -> None:
    told = json.loads(report.render(some_results))
    assert "latency" not in told
    assert told["cases"][3]["reason"] == "the handler has no tools"
    assert told["cases"][3]["evidence"] is None
