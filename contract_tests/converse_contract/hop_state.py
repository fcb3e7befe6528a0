"""What a hop between handler and browser did for one case, as its journal has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Direction = Literal["up", "down"]
What = Literal["received", "passed", "left", "cut", "failed", "ended"]


@dataclass(frozen=True, slots=True)
class Passing:
    """One thing that happened, `at` epoch seconds; `size` in bytes. `converse_hops.passage` has the words."""

    at: float
    direction: Direction
    what: What
    size: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HopState:
    """One hop, up to the moment when it was looked at.

    `setting` is how its switch is set, where it has one; `remedy` is what has to be set instead, empty where
    the setting is right.
    """

    name: str
    passings: tuple[Passing, ...] = ()
    setting: str = ""
    remedy: str = ""

    def of(self, what: What, direction: Direction = "down") -> Iterator[Passing]:
        """What happened of one kind, in order."""
        return (each for each in self.passings if (each.direction, each.what) == (direction, what))

    def total(self, what: What, direction: Direction = "down") -> int:
        """The bytes of all of it."""
        return sum(each.size for each in self.of(what, direction))

    @property
    def held(self) -> int:
        """Bytes that it has from the handler's side and has not passed on."""
        return self.total("received") - self.total("passed")
