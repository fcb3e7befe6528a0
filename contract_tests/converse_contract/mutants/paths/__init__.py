"""Mutants for the section on delivery: wrong over some path, each in one way, and caught by the cases named.

A mutant that is a function is run as one where the path has functions; else it is a service.
"""

import re
from collections.abc import Mapping

from converse_contract.mutants.paths import pushed, returning, streamed
from converse_contract.mutants.paths.service import Walker


def _name(mutant: type[Walker]) -> str:
    """`SaysNoEnd` is `says-no-end`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", mutant.__name__).lower()


_ALL = (*streamed.MUTANTS, *returning.MUTANTS, *pushed.MUTANTS)
WALKERS: Mapping[str, type[Walker]] = {_name(mutant): mutant for mutant in _ALL}
