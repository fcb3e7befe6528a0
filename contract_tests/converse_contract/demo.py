"""The whole project at work: emulator, reference handler, catalogue, and the article's before and after."""

from collections.abc import Callable, Sequence

from converse_contract.case import Case, Limits
from converse_contract.dialects.reference import ReferenceDialect
from converse_contract.latency import Comparison, NotMeasured, compare
from converse_contract.listen import Target
from converse_contract.runner import Progress, run
from converse_contract.serving import environment, serving
from converse_contract.verdict import Results

# Short, so that every timeout is waited for in a minute; long enough for the article's answer (4.4 s).
LIMITS = Limits(first_byte=3.0, between_bytes=3.0, total=10.0, tool=2.0, heartbeat=0.5)


def demo(
    cases: Sequence[Case], sections: dict[str, str], progress: Progress, note: Callable[[str], None]
) -> tuple[Results, Comparison | NotMeasured]:
    """Run the cases against the reference handler, then measure. Starts what it needs, and ends it.

    `progress` is told each result, `note` what else is done.
    """
    with (
        serving("converse_emulator", "serve", "--port", "0") as emulator,
        serving("converse_handler", "--port", "0", env=environment(emulator, LIMITS)) as handler,
        serving("converse_contract.mutants", "illusion", env=environment(emulator, LIMITS)) as illusion,
    ):
        dialect = ReferenceDialect()
        target = Target(handler, dialect, LIMITS)
        results = run(
            cases, target, emulator, replay="converse-contract demo", sections=sections, progress=progress
        )
        note("measuring before and after")
        try:
            return results, compare(Target(illusion, dialect, LIMITS), target)
        except NotMeasured as problem:
            return results, problem
