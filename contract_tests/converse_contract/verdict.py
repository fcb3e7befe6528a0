"""What became of a case: more than pass and fail, so that nobody is blamed for somebody else's fault."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from converse_contract.case import Case, Evidence, Finding, Level, Limits


class Outcome(Enum):
    """The word for it."""

    PASSED = "passed"
    FAILED = "failed"  # a MUST does not hold
    NON_STRICT = "non-strict"  # a SHOULD does not hold
    SKIPPED = "skipped"  # the handler does not have what the case is about
    COULD_NOT_RUN = "could not run"  # the handler or the emulator did not answer
    CASE_BUG = "bug in the case"  # the case's own fault, never the handler's


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome and its grounds: findings where something was judged, a reason where nothing was."""

    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One case of a run. `evidence` is None when nothing was asked."""

    case: Case
    verdict: Verdict
    evidence: Evidence | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Results:
    """A whole run, in the catalogue's order. `replay` is the command that repeats it, without the case."""

    results: tuple[Result, ...]
    handler: str
    emulator: str
    limits: Limits
    replay: str
    started_at: float  # epoch seconds
    seconds: float
    sections: dict[str, str] = field(default_factory=dict)  # the first part of an id to its title

    def count(self, outcome: Outcome) -> int:
        """How many cases came out like this."""
        return sum(result.verdict.outcome is outcome for result in self.results)

    def by_section(self) -> Iterable[tuple[str, list[Result]]]:
        """Each section's title and results, in order."""
        sections: dict[str, list[Result]] = {}
        for result in self.results:
            sections.setdefault(result.case.id.partition(".")[0], []).append(result)
        for number, results in sections.items():
            yield f"{number} {self.sections.get(number, '')}".strip(), results

    def replay_of(self, result: Result) -> str:
        """The command that runs this case again."""
        return f"{self.replay} --case {result.case.id}"

    @property
    def exit_code(self) -> int:
        """0: every MUST holds; 1: one does not; 2: none is broken, but something could not be judged."""
        if self.count(Outcome.FAILED):
            return 1
        return 2 if self.count(Outcome.COULD_NOT_RUN) or self.count(Outcome.CASE_BUG) else 0


def judge(case: Case, evidence: Evidence) -> Verdict:
    """Apply the case's check. A check that raises is the case's bug."""
    try:
        findings = tuple(case.check(evidence))
    except Exception as error:
        return Verdict(Outcome.CASE_BUG, reason=f"the check raised {type(error).__name__}: {error}")
    if not findings:
        return Verdict(Outcome.PASSED)
    return Verdict(Outcome.FAILED if case.level is Level.MUST else Outcome.NON_STRICT, findings)
