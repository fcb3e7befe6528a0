"""The scenarios there are: those that come with the package and those of the user's folders.

A scenario is called as its file is, `topic/name`. Files are listed at once and read when they are asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from converse_emulator.errors import Mistake, ScenarioError, UnknownScenario
from converse_emulator.language.scenario import Scenario

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SUFFIXES = (".yaml", ".yml")
NEAREST = 3  # names that are told
MAX_DEPTH = 8  # of folders; links may go round


class Library:
    """The packaged scenarios and those of `directories`."""

    def __init__(self, directories: Iterable[str | Path] = ()) -> None:
        self._directories = tuple(Path(directory) for directory in directories)
        self._read: dict[str, Scenario] = {}

    def names(self) -> tuple[str, ...]:
        """The names of all scenarios, sorted. Reads no file."""
        return tuple(sorted(self._files))

    def get(self, name: str) -> Scenario:
        """The scenario called so; raises `UnknownScenario`, or `ScenarioError` for its mistakes."""
        if name not in self._read:
            file = self._files.get(name)
            if file is None:
                raise UnknownScenario(name, self.nearest(name))
            self._read[name] = _load(file, name)
        return self._read[name]

    def nearest(self, name: str) -> tuple[str, ...]:
        """The names most like this one, at most three; without its topic if that helps."""
        from difflib import get_close_matches

        by_tail = {each.rpartition("/")[2]: each for each in self.names()}
        tails = get_close_matches(name.rpartition("/")[2], by_tail, n=NEAREST)
        near = [*get_close_matches(name, self._files, n=NEAREST), *(by_tail[tail] for tail in tails)]
        return tuple(dict.fromkeys(near))[:NEAREST]

    def matching(self) -> tuple[Scenario, ...]:
        """The scenarios of the user's folders that say which requests they are for, by name.

        Reads all of these files, and raises the mistakes of all. Packaged scenarios are used by name only.
        """
        return self._matching

    @cached_property
    def _matching(self) -> tuple[Scenario, ...]:
        mistakes: list[Mistake] = []
        for name in sorted(self._own):
            try:
                self.get(name)
            except ScenarioError as error:
                mistakes += error.mistakes
        if mistakes:
            raise ScenarioError(mistakes)
        return tuple(scenario for name in sorted(self._own) if (scenario := self.get(name)).match)

    @cached_property
    def _files(self) -> "Mapping[str, Traversable]":
        from importlib.resources import files  # not needed where a run has no scenarios

        return _listed([files("converse_fixtures") / "scenarios", *self._directories])

    @cached_property
    def _own(self) -> "Mapping[str, Traversable]":
        return _listed(self._directories)


def _listed(folders: "Iterable[Traversable]") -> "dict[str, Traversable]":
    """The scenario files under the folders, by name; raises `ScenarioError` for a name in two places."""
    found: dict[str, Traversable] = {}
    mistakes = []
    for folder in folders:
        if not folder.is_dir():
            mistakes.append(Mistake(str(folder), "no such folder"))
            continue
        for name, file in _walk(folder, ""):
            if name in found:
                mistakes.append(Mistake(str(file), f"its name {name!r} is also that of {found[name]}"))
            found[name] = file
    if mistakes:
        raise ScenarioError(mistakes)
    return found


def _walk(folder: "Traversable", prefix: str, depth: int = 0) -> "Iterator[tuple[str, Traversable]]":
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if depth < MAX_DEPTH:
                yield from _walk(entry, f"{prefix}{entry.name}/", depth + 1)
        elif entry.name.endswith(SUFFIXES):
            yield prefix + entry.name.rpartition(".")[0], entry


def _load(file: "Traversable", name: str) -> Scenario:
    from converse_emulator.language.loader import MAX_BYTES, load_bytes  # the grammar takes 50 ms

    with file.open("rb") as opened:
        return load_bytes(opened.read(MAX_BYTES + 1), name=name, source=str(file))
