"""Values that know where they stand: what the grammar reads, made from YAML or from Python data.

A node is a scalar, a list or a mapping of JSON. Its place is `file:line:column` or `play()[2].text`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from converse_emulator.errors import Mistake, ScenarioError
from converse_emulator.language.scenario import Json

MAX_DEPTH = 64  # of nested lists and mappings; also ends data that contains itself
LARGEST = 2**63
Atom = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value."""

    value: Atom
    place: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    nodes: tuple["Node", ...]
    place: str


@dataclass(frozen=True, slots=True)
class Members:
    """A mapping. `key_places` tells where a member's name stands."""

    nodes: Mapping[str, "Node"]
    place: str
    key_places: Mapping[str, str] = field(default_factory=dict)

    def key_place(self, name: str) -> str:
        """Where the member begins."""
        return self.key_places.get(name, self.nodes[name].place)


Node = Scalar | Items | Members


def plain(node: Node) -> Json:
    """The value without places."""
    match node:
        case Scalar(value):
            return value
        case Items(nodes):
            return [plain(item) for item in nodes]
        case Members(nodes):
            return {name: plain(item) for name, item in nodes.items()}


def shown(node: Node) -> str:
    """What stands there, in a few words, for an error."""
    match node:
        case Scalar(None):
            return "nothing"
        case Scalar(bool() as value):
            return "true" if value else "false"
        case Scalar(str() as value):
            return repr(value if len(value) <= 60 else f"{value[:57]}...")
        case Scalar(value):
            return f"the number {value}"
        case Items():
            return "a list"
        case Members():
            return "a mapping"


def atom(value: Atom, place: str) -> Scalar:
    """A scalar that JSON can carry; refuses infinities, huge numbers and halves of surrogate pairs."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ScenarioError([Mistake(place, f"{value} is no number that JSON knows")])
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ScenarioError([Mistake(place, "a number of more than 64 bits")])
    if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
        raise ScenarioError([Mistake(place, "half of a surrogate pair is no character")])
    return Scalar(value, place)


def from_python(value: object, place: str, depth: int = 0) -> Node:
    """The node of Python data: None, bool, int, float, str, lists, tuples and mappings with string keys."""
    if depth > MAX_DEPTH:
        raise ScenarioError([Mistake(place, f"nested more than {MAX_DEPTH} levels deep")])
    match value:
        case None | bool() | int() | float() | str():
            return atom(value, place)
        case Mapping():
            return Members(dict(_members(value, place, depth)), place)
        case Sequence() if not isinstance(value, bytes | bytearray):
            return Items(
                tuple(from_python(v, f"{place}[{i}]", depth + 1) for i, v in enumerate(value)), place
            )
        case _:
            wanted = "strings, numbers, true, false, None, lists and dicts"
            raise ScenarioError([Mistake(place, f"{type(value).__name__} is no JSON value", wanted)])


def _members(mapping: Mapping[object, object], place: str, depth: int) -> Iterable[tuple[str, Node]]:
    for name, value in mapping.items():
        if not isinstance(name, str):
            raise ScenarioError([Mistake(place, f"the key {name!r} is not a string")])
        yield name, from_python(value, member_place(place, name), depth + 1)


def member_place(place: str, name: str) -> str:
    """The place of a member of Python data."""
    return f"{place}.{name}" if name.isidentifier() else f"{place}[{name!r}]"
