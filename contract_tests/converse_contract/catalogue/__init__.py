"""The catalogue: every promise that the suite checks, in order, one file for each section."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from converse_contract.case import CAPABILITIES, Case, Limits
from converse_contract.catalogue import (
    s1_stream,
    s2_content,
    s3_refusals,
    s4_exceptions,
    s5_truncation,
    s6_timeouts,
    s7_tools,
    s8_cancel,
    s9_resources,
    s10_delivery,
)
from converse_contract.delivery.case import PathCase

_FILES = {
    "1": s1_stream,
    "2": s2_content,
    "3": s3_refusals,
    "4": s4_exceptions,
    "5": s5_truncation,
    "6": s6_timeouts,
    "7": s7_tools,
    "8": s8_cancel,
    "9": s9_resources,
}
SECTIONS: dict[str, str] = {number: file.TITLE for number, file in _FILES.items()}
SECTIONS["10"] = s10_delivery.TITLE
CASES: tuple[Case, ...] = tuple(case for file in _FILES.values() for case in file.CASES)
DELIVERY: tuple[PathCase, ...] = s10_delivery.CASES  # over paths; the others need the handler's URL alone


def faults(cases: Sequence[Case], in_library: Callable[[str], bool]) -> Iterator[str]:
    """What is wrong with the cases themselves. `in_library` knows the names of the library's scenarios."""
    for case_id, times in Counter(case.id for case in cases).items():
        if times > 1:
            yield f"{case_id}: {times} cases have this id"
    for case in cases:
        if case.id.partition(".")[0] not in SECTIONS:
            yield f"{case.id}: there is no such section"
        if case.level.value not in case.requirement.split() or not case.requirement.endswith("."):
            yield f"{case.id}: the requirement is no sentence with {case.level.value}"
        if unknown := case.needs - CAPABILITIES.keys():
            yield f"{case.id}: needs {', '.join(sorted(unknown))}, which is no capability"
        script = case.script(Limits())
        if isinstance(script, str) and not in_library(script):
            yield f"{case.id}: the library has no scenario {script}"
