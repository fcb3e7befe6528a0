"""Runs the cases of delivery over one path."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from converse_contract.case import Case, Limits
from converse_contract.delivery.case import PathCase
from converse_contract.delivery.path import Tuning
from converse_contract.delivery.wiring import Way, Wiring
from converse_contract.listen import Target
from converse_contract.runner import Progress, run
from converse_contract.verdict import Results

AT_ONCE = 4  # cases, and so functions that are kept warm

# Short, because limits have to be waited for.
LIMITS = Limits(first_byte=4.0, between_bytes=5.5, total=8.0, tool=2.0, heartbeat=0.3)


@dataclass(frozen=True, slots=True)
class OnePath:
    """The way of each case over the same path. `forget`: its switch is left as it comes, for all of them."""

    wiring: Wiring
    forget: bool = False
    at_once: int = AT_ONCE

    def of(self, case: Case | None) -> AbstractContextManager[Way]:
        tuning = case.tuning(self.wiring.limits) if isinstance(case, PathCase) else Tuning()
        return self.wiring.open(replace(tuning, forget=self.forget))


def deliver(
    cases: Sequence[PathCase],
    wiring: Wiring,
    emulator: str,
    *,
    forget: bool = False,
    at_once: int = AT_ONCE,
    without: Iterable[str] = (),
    replay: str = "converse-contract deliver",
    sections: dict[str, str] | None = None,
    progress: Progress | None = None,
) -> Results:
    """Run those of the cases that are meant for the path. Raises `CouldNotRun`."""
    path = wiring.path
    return run(
        [case for case in cases if case.on(path)],
        Target(f"{path.name} ({path.about})", wiring.dialect, wiring.limits),
        emulator,
        without=without,
        replay=replay,
        sections=sections,
        progress=progress,
        ways=OnePath(wiring, forget, at_once),
    )
