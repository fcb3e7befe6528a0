"""Mutants: handlers that are wrong on purpose, each in one way, to prove that the catalogue's cases can fail.

`MUTANTS` has them all by name. A mutant's docstring is the code that it resembles; `caught_by` are the cases
that it must fail. What they are made from is `base.Handler`, which passes them all.
"""

import re
from collections.abc import Mapping
from typing import ClassVar, Protocol

from starlette.applications import Starlette

from converse_contract.mutants import article, content, delivery, failures, patience, toolwork


class Mutant(Protocol):
    """A handler to serve."""

    caught_by: ClassVar[tuple[str, ...]]
    alone: ClassVar[bool]

    def app(self) -> Starlette:
        """The application, with /chat and /health."""


def _name(mutant: type[Mutant]) -> str:
    """`NoSentinel` is `no-sentinel`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", mutant.__name__).lower()


_ALL: tuple[type[Mutant], ...] = (
    article.Article,
    *delivery.MUTANTS,
    *content.MUTANTS,
    *failures.MUTANTS,
    *patience.MUTANTS,
    *toolwork.MUTANTS,
)
MUTANTS: Mapping[str, type[Mutant]] = {_name(mutant): mutant for mutant in _ALL}
