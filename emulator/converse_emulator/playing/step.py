"""What is done again and again, each time at a moment of its own."""

from typing import Protocol


class Step(Protocol):
    """One time of it, in three parts.

    Of what is due together each part is done for all before the next: a system call leaves the processor's
    caches and predictions cold, and Python is slow then. What fails fails for who waits for the step alone.
    """

    def prepare(self, now: float) -> None:
        """Make ready what is due."""

    def act(self) -> None:
        """Do it: here are the system calls."""

    def note(self, now: float) -> float | None:
        """It was done now; the moment of the next time, None if there is none."""


def take(step: Step, now: float) -> None:
    """Both parts that come before `note`, of one step alone."""
    step.prepare(now)
    step.act()
