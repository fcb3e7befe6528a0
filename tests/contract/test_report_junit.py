"""The JUnit report: valid XML, each outcome filed where CI systems look for it."""

import xml.etree.ElementTree as ET

from converse_contract.report import junit
from converse_contract.verdict import Results


def test_each_outcome_is_filed_under_its_own_word(some_results: Results) -> None:
    root = ET.fromstring(junit.render(some_results))
    filed = {
        str(case.get("name")).partition(" ")[0]: [child.tag for child in case]
        for case in root.iter("testcase")
    }
    assert filed == {
        "1.1": [],
        "1.2": ["failure"],
        "1.3": ["skipped"],
        "2.1": ["skipped"],
        "2.2": ["error"],
        "2.10": ["error"],
    }


def test_counts_agree_with_what_is_in_them(some_results: Results) -> None:
    root = ET.fromstring(junit.render(some_results))
    for element in (root, *root.iter("testsuite")):
        counted = {
            "tests": len(list(element.iter("testcase"))),
            "failures": len(list(element.iter("failure"))),
            "errors": len(list(element.iter("error"))),
            "skipped": len(list(element.iter("skipped"))),
        }
        assert {name: int(str(element.get(name))) for name in counted} == counted
    assert [suite.get("name") for suite in root.iter("testsuite")] == ["1 The stream", "2 Tools & more"]
    assert root.get("time") == "1.500"


def test_a_failure_brings_its_evidence(some_results: Results) -> None:
    (failure,) = ET.fromstring(junit.render(some_results)).iter("failure")
    assert failure.get("message") == "expected Failed, got Finished(<stop>) & more; expected a, got b"
    assert failure.get("type") == "MUST"
    told = str(failure.text)
    assert "It MUST hold, 1.2." in told
    assert told.count(" Text 'w") == 40  # nothing is left out here
    assert "+0.110 finish (injected)" in told
    assert told.endswith("--case 1.2")


def test_a_should_that_does_not_hold_says_so(some_results: Results) -> None:
    skipped = [
        str(element.get("message")) for element in ET.fromstring(junit.render(some_results)).iter("skipped")
    ]
    assert skipped == ["SHOULD does not hold: expected a, got b", "the handler has no tools"]


def test_characters_that_xml_cannot_hold_are_replaced(some_results: Results) -> None:
    from dataclasses import replace

    from converse_contract.verdict import Outcome, Verdict

    broken = replace(some_results.results[0], verdict=Verdict(Outcome.CASE_BUG, reason="a\x00b\x1b\ud800c"))
    (error,) = ET.fromstring(junit.render(replace(some_results, results=(broken,)))).iter("error")
    assert error.get("message") == "a\ufffdb\ufffd\ufffdc"
