"""The report for a terminal: everything that was seen, in words."""

import re
from dataclasses import replace

from converse_contract.hop_state import HopState, Passing
from converse_contract.latency import Comparison
from converse_contract.report import text
from converse_contract.report.evidence import LONGEST_RUN, Moment, condensed
from converse_contract.verdict import Outcome, Results

LABELS = ["expected", "actual", "expected", "actual", "received", "emulator 1", "emulator 2", "replay"]


def block(report: str, case_id: str) -> str:
    """What the report says about this case."""
    match = re.search(rf"^  \S {re.escape(case_id)} .*?(?=^  \S \d|^\S|\Z)", report, re.MULTILINE | re.DOTALL)
    assert match
    return match[0]


def test_a_failure_is_told_with_all_that_was_seen(some_results: Results) -> None:
    told = block(text.render(some_results, width=200), "1.2")
    assert told.splitlines()[0] == "  ✗ 1.2   Title <1.2>."
    labels = [line.strip().partition("  ")[0] for line in told.splitlines()[1:]]
    assert [label for label in labels if label in LABELS] == LABELS
    assert "It MUST hold, 1.2." in told
    assert "+0.010 Started · +0.020 Text '<b>& \\x1b[31m\\x00'" in told
    assert "… 35 more of these …" in told
    assert (
        "+0.010 call: ConverseStream → 200, client left · +0.011 head 200 · +0.012 send 91 B (messageStart)"
        in told
    )
    assert "+0.110 finish (injected)" in told
    assert "miss: nothing is armed <here>" in told
    assert "converse-contract run http://127.0.0.1:8000 --emulator http://127.0.0.1:8080 --case 1.2" in told


def test_each_outcome_has_its_mark(some_results: Results) -> None:
    report = text.render(some_results)
    assert re.findall(r"^  (\S) (\d\.\d+)", report, re.MULTILINE) == [
        ("✓", "1.1"),
        ("✗", "1.2"),
        ("✗", "1.3"),
        ("\N{EN DASH}", "2.1"),
        ("!", "2.2"),
        ("!", "2.10"),
    ]
    assert "1.3   Title <1.3>. (SHOULD)" in report
    assert "the handler has no tools" in block(report, "2.1")


def test_sections_and_summary(some_results: Results) -> None:
    lines = text.render(some_results).splitlines()
    assert "1 The stream" in lines
    assert "2 Tools & more" in lines
    assert lines[-1].split(" · ") == [
        "1 passed",
        "1 failed",
        "1 non-strict",
        "1 skipped",
        "1 could not run",
        "1 bug in the case",
        "6 in all, in 1.5 s",
    ]


def test_the_table_lays_the_measurement_beside_the_article(
    some_results: Results, comparison: Comparison
) -> None:
    report = text.render(some_results, comparison)
    rows = [re.split(r"\s{2,}", line.strip()) for line in report.splitlines() if " ms" in line]
    assert rows == [
        ["time to first byte", "4,200 ms", "4,200 ms", "800 ms", "800 ms"],
        ["total response time", "6,000 ms", "4,200 ms", "4,400 ms", "4,400 ms"],
        ["user-perceived wait", "4,200 ms", "4,200 ms", "800 ms", "800 ms"],
    ]


def test_colour_is_for_terminals_only(some_results: Results) -> None:
    assert "\x1b[" not in text.render(some_results)
    assert "\x1b[" in text.render(some_results, color=True)


def test_no_line_is_wider_than_the_terminal(some_results: Results) -> None:
    report = text.render(some_results, width=80)
    assert max(map(len, report.splitlines())) <= 80
    assert all(line == line.rstrip() for line in report.splitlines())


def test_many_responses_are_shown_in_part_and_counted(some_results: Results) -> None:
    failed = some_results.results[1]
    assert failed.evidence is not None
    many = replace(failed.evidence, transcripts=failed.evidence.transcripts * 9)
    run = replace(some_results, results=(replace(failed, evidence=many),))
    assert run.count(Outcome.FAILED) == 1
    told = text.render(run, width=200)
    assert "received 4" in told
    assert "received 5" not in told
    assert "5 more findings, responses and calls" in told


def test_only_long_runs_of_one_kind_are_condensed() -> None:
    run = [Moment(n, f"send {n}", "send") for n in range(LONGEST_RUN)]
    assert len(list(condensed(run))) == LONGEST_RUN
    lines = list(condensed([Moment(0, "head", "head"), *run, Moment(99, "send 99", "send")]))
    assert lines[4] == f"… {LONGEST_RUN + 1 - 6} more of these …"
    assert lines[-1] == "+99.000 send 99"


def test_what_hops_did_is_shown_between_both_sides(some_results: Results) -> None:
    passings = (
        Passing(1_000_000.1, "up", "received", 50),
        Passing(1_000_000.2, "down", "received", 20),
        Passing(1_000_000.3, "down", "received", 30),
        Passing(1_000_000.4, "down", "cut", 0, "idle timeout of 60 s"),
    )
    failed = some_results.results[1]
    assert failed.evidence
    evidence = replace(failed.evidence, hops=(HopState("load balancer", passings),))
    shown = text.render(replace(some_results, results=(replace(failed, evidence=evidence),)), width=200)
    assert (
        " load balancer  +0.100 received 50 B to the handler · +0.200 received 50 B to the browser, 2 pieces "
        "until +0.300 · +0.400 cut idle timeout of 60 s\n"
    ) in shown
