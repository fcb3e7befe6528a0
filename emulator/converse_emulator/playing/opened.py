"""The beats of one play that has all but its head in common with others."""

from collections.abc import Sequence
from typing import overload

from converse_emulator.playing.acts import Beat


class Opened(Sequence[Beat]):
    """A head, and the beats after it, which are not copied for every play."""

    __slots__ = ("head", "rest")

    def __init__(self, head: Beat, rest: tuple[Beat, ...]) -> None:
        self.head = head
        self.rest = rest

    def __len__(self) -> int:
        return 1 + len(self.rest)

    @overload
    def __getitem__(self, index: int) -> Beat: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Beat, ...]: ...
    def __getitem__(self, index: int | slice) -> Beat | tuple[Beat, ...]:
        if isinstance(index, int) and index > 0:
            return self.rest[index - 1]
        return (self.head, *self.rest)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and (self.head, *self.rest) == tuple(other)

    def __hash__(self) -> int:
        return hash((self.head, *self.rest))


def source(beats: Sequence[Beat], place: int) -> tuple[Sequence[Beat], int]:
    """The sequence that has what comes from a place on, and where: who goes through it looks there."""
    return (beats.rest, place - 1) if isinstance(beats, Opened) and place > 0 else (beats, place)
