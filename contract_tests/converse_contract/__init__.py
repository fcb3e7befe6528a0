"""A contract suite for streaming chat handlers, run over the local Bedrock of `converse_emulator`.

    results = run(cases, Target("http://127.0.0.1:8000", ReferenceDialect()), "http://127.0.0.1:8080")

The catalogue is in `converse_contract.catalogue`, the words for checks in `converse_contract.checks`.
"""

from converse_contract.case import Case, Evidence, Finding, Level, Limits
from converse_contract.dialects.reference import ReferenceDialect
from converse_contract.listen import Target
from converse_contract.runner import CouldNotRun, run
from converse_contract.verdict import Outcome, Results, Verdict

__all__ = [
    "Case",
    "CouldNotRun",
    "Evidence",
    "Finding",
    "Level",
    "Limits",
    "Outcome",
    "ReferenceDialect",
    "Results",
    "Target",
    "Verdict",
    "run",
]
