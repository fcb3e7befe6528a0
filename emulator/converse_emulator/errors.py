"""What can go wrong, and whose fault it is.

    EmulatorError
    ├── ScenarioError      a scenario is wrong: its author's fault; tells every mistake with its place
    ├── UnknownScenario    a name that no scenario has; tells the nearest ones
    ├── Miss               a request that nothing was written for; tells what was asked and why it missed
    ├── VerifyError        a session had misses, or fewer requests than it was armed for (`emulator`)
    ├── UnknownPath        a request to no operation of the service (`service`)
    ├── WrongMethod        a request with a method that its operation does not take (`service`)
    └── ServiceModelError  the installed botocore does not know ConverseStream (`service`)

A client never sees a traceback: it gets an error of the real service's shape with this text.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

SHOWN = 50  # mistakes that the text of an error tells


class EmulatorError(Exception):
    """The base of everything that the emulator raises on purpose."""


class Mistake(NamedTuple):
    """One thing that is wrong in a scenario.

    `place` is `file:line:column`, or `play()[2].text` for Python data; `allowed` may be empty.
    """

    place: str
    what: str
    allowed: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" + (f"; allowed: {self.allowed}" if self.allowed else "")


class ScenarioError(EmulatorError):
    """A scenario that cannot be read: all its `mistakes`; the text tells the first ones, one a line."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        lines = [str(mistake) for mistake in self.mistakes[:SHOWN]]
        if more := len(self.mistakes) - len(lines):
            lines.append(f"… and {more} more mistake{'s' if more > 1 else ''}")
        super().__init__("\n".join(lines))


class UnknownScenario(EmulatorError, LookupError):
    """No scenario has this name. `nearest` are the names that look like it."""

    def __init__(self, name: str, nearest: Sequence[str]) -> None:
        self.name = name
        self.nearest = tuple(nearest)
        hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
        super().__init__(f"No scenario is called {name!r}.{hint}")


class Miss(EmulatorError):
    """A request for which there is no reply, explained."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)`, or nothing when no known word looks like it."""
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_lower, n=1)
    return f" (did you mean {by_lower[near[0]]!r}?)" if near else ""
