"""Tells on stderr how far a run has come."""

import sys

from converse_contract.verdict import Outcome, Result


class Progress:
    """One line on a terminal that says how far the run has come; elsewhere a line when it begins."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._failed = total, 0, 0
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> "Progress":
        self._show()
        return self

    def __call__(self, result: Result) -> None:
        self._done += 1
        self._failed += result.verdict.outcome in (Outcome.FAILED, Outcome.COULD_NOT_RUN, Outcome.CASE_BUG)
        if self._terminal:
            self._show()

    def note(self, text: str) -> None:
        """Say what is done now, beside the cases."""
        if self._terminal:
            print(f"\r\x1b[K{text} …", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _show(self) -> None:
        failed = f", {self._failed} failed" if self._failed else ""
        if self._terminal:
            print(
                f"\r\x1b[K{self._done} of {self._total} cases{failed} …", end="", file=sys.stderr, flush=True
            )
        else:
            print(f"running {self._total} cases …", file=sys.stderr, flush=True)
