"""The report as JUnit XML, the form that CI systems read.

A broken MUST is a failure; what could not be judged is an error; a skipped case and a broken SHOULD are
skips, since a SHOULD does not fail the run. The evidence is the text of the element.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime

from converse_contract.report.evidence import both_sides
from converse_contract.verdict import Outcome, Result, Results

# What XML 1.0 cannot hold, not even escaped.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

ERRORS = {Outcome.COULD_NOT_RUN, Outcome.CASE_BUG}
SKIPS = {Outcome.SKIPPED, Outcome.NON_STRICT}


def render(results: Results) -> str:
    """One test suite for each section, one test case for each case."""
    counts = _counts(results.results)
    root = ET.Element("testsuites", {"name": "converse-contract", **counts, "time": f"{results.seconds:.3f}"})
    started = datetime.fromtimestamp(results.started_at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for title, section in results.by_section():
        seconds = f"{sum(result.seconds for result in section):.3f}"
        about = {"name": title, **_counts(section), "time": seconds, "timestamp": started}
        suite = ET.SubElement(root, "testsuite", about)
        for result in section:
            _case(suite, title, result, results)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts(results: Sequence[Result]) -> dict[str, str]:
    outcomes = [result.verdict.outcome for result in results]
    return {
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count(Outcome.FAILED)),
        "errors": str(sum(outcome in ERRORS for outcome in outcomes)),
        "skipped": str(sum(outcome in SKIPS for outcome in outcomes)),
    }


def _case(suite: ET.Element, title: str, result: Result, results: Results) -> None:
    element = ET.SubElement(suite, "testcase", classname=f"converse-contract.{title}")
    element.set("name", f"{result.case.id} {result.case.title}")
    element.set("time", f"{result.seconds:.3f}")
    verdict = result.verdict
    message = verdict.reason or "; ".join(
        f"expected {finding.expected}, got {finding.actual}" for finding in verdict.findings
    )
    match verdict.outcome:
        case Outcome.PASSED:
            return
        case Outcome.FAILED:
            kind = ET.SubElement(element, "failure", type="MUST")
        case Outcome.NON_STRICT:
            kind, message = ET.SubElement(element, "skipped"), f"SHOULD does not hold: {message}"
        case Outcome.SKIPPED:
            kind = ET.SubElement(element, "skipped")
        case Outcome.COULD_NOT_RUN | Outcome.CASE_BUG:
            kind = ET.SubElement(element, "error", type=verdict.outcome.value)
    kind.set("message", _clean(message))
    kind.text = _clean(_evidence(result, results))


def _evidence(result: Result, results: Results) -> str:
    lines = [result.case.requirement]
    for finding in result.verdict.findings:
        lines += [f"expected: {finding.expected}", f"actual: {finding.actual}"]
    if result.evidence:
        for label, moments in both_sides(result.evidence):
            lines += [f"{label}:", *(f"  {moment}" for moment in moments)]
    return "\n".join([*lines, f"replay: {results.replay_of(result)}"])


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
