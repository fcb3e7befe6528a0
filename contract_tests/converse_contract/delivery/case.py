"""A case of delivery: a case that is run over paths."""

from collections.abc import Callable
from dataclasses import dataclass

from converse_contract.case import Case, Limits
from converse_contract.delivery.path import PATHS, Path, Tuning


@dataclass(frozen=True, slots=True, kw_only=True)
class PathCase(Case):
    """`on` says for which paths the promise is meant; `tuning` sets their hops."""

    on: Callable[[Path], bool] = lambda _path: True
    tuning: Callable[[Limits], Tuning] = lambda _limits: Tuning()

    @property
    def paths(self) -> tuple[str, ...]:
        """The names of those paths."""
        return tuple(name for name, path in PATHS.items() if self.on(path))
