"""Forms: what a value may look like. One form both reads a value and gives its JSON Schema.

Reading raises `ScenarioError` with every mistake found, not only the first.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from converse_emulator.errors import Mistake, ScenarioError, did_you_mean
from converse_emulator.language.nodes import Atom, Node, Scalar, shown
from converse_emulator.language.scenario import Json

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Form(ABC, Generic[T_co]):
    """What a value may look like."""

    @property
    @abstractmethod
    def wants(self) -> str:
        """What is allowed, in words."""

    @property
    def words(self) -> tuple[str, ...]:
        """The fixed words that are allowed, for suggestions."""
        return ()

    @abstractmethod
    def fits(self, node: Node) -> bool:
        """Whether the value is meant to be this, looking at its surface only."""

    @abstractmethod
    def read(self, node: Node) -> T_co:
        """The value; raises `ScenarioError`."""

    @abstractmethod
    def schema(self) -> dict[str, Json]:
        """The JSON Schema of the same thing."""

    def refuse(self, node: Node) -> ScenarioError:
        """The mistake of a value that is something else."""
        value = node.value if isinstance(node, Scalar) else None
        hint = did_you_mean(value, self.words) if isinstance(value, str) else ""
        return ScenarioError([Mistake(node.place, f"{shown(node)} is not allowed here{hint}", self.wants)])


class Gather:
    """Reads several parts and keeps their mistakes, so that all are told at once."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def read(self, form: Form[T], node: Node) -> T | None:
        """The value, or None after noting the mistakes."""
        try:
            return form.read(node)
        except ScenarioError as error:
            self.mistakes += error.mistakes
            return None

    def add(self, place: str, what: str, allowed: str = "") -> None:
        """Notes a mistake."""
        self.mistakes.append(Mistake(place, what, allowed))

    def settle(self) -> None:
        """Raises what was noted, if anything was."""
        if self.mistakes:
            raise ScenarioError(self.mistakes)


@dataclass(frozen=True, slots=True)
class Value(Form[T]):
    """A scalar. `parse` gives None for what it does not take."""

    text: str
    parse: Callable[[Atom], T | None]
    rule: Mapping[str, Json]

    @property
    def wants(self) -> str:
        return self.text

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and self.parse(node.value) is not None

    def read(self, node: Node) -> T:
        parsed = self.parse(node.value) if isinstance(node, Scalar) else None
        if parsed is None:
            raise self.refuse(node)
        return parsed

    def schema(self) -> dict[str, Json]:
        return dict(self.rule)


@dataclass(frozen=True, slots=True)
class Word(Form[str]):
    """One of some names, asked for when needed (the service model has them). `open`: or any other one."""

    names: Callable[[], Iterable[str]]
    open: bool = False

    @property
    def wants(self) -> str:
        return ", ".join((*self.words, "any other name") if self.open else self.words)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.names())

    def fits(self, node: Node) -> bool:
        return isinstance(node, Scalar) and self._known(node.value)

    def read(self, node: Node) -> str:
        if not (isinstance(node, Scalar) and isinstance(node.value, str) and self._known(node.value)):
            raise self.refuse(node)
        return node.value

    def _known(self, value: Atom) -> bool:
        return isinstance(value, str) and bool(value) and (self.open or value in self.words)

    def schema(self) -> dict[str, Json]:
        known: dict[str, Json] = {"enum": list(self.words)}
        return {"anyOf": [known, {"type": "string", "minLength": 1}]} if self.open else known


@dataclass(frozen=True, slots=True)
class Made(Form[T]):
    """Another form, and what is made of its value. `make` raises ValueError for what cannot be."""

    form: Form[Any]
    make: Callable[[Any], T]

    @property
    def wants(self) -> str:
        return self.form.wants

    @property
    def words(self) -> tuple[str, ...]:
        return self.form.words

    def fits(self, node: Node) -> bool:
        return self.form.fits(node)

    def read(self, node: Node) -> T:
        value = self.form.read(node)
        try:
            return self.make(value)
        except ValueError as error:
            raise ScenarioError([Mistake(node.place, str(error))]) from error

    def schema(self) -> dict[str, Json]:
        return self.form.schema()


@dataclass(frozen=True, slots=True)
class OneOf(Form[T]):
    """The first of several forms that fits; the last record is taken for any mapping."""

    forms: tuple[Form[T], ...]

    @property
    def wants(self) -> str:
        return " | ".join(form.wants for form in self.forms)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for form in self.forms for word in form.words)

    def fits(self, node: Node) -> bool:
        return any(form.fits(node) for form in self.forms)

    def read(self, node: Node) -> T:
        for form in self.forms:
            if form.fits(node):
                return form.read(node)
        raise self.refuse(node)

    def schema(self) -> dict[str, Json]:
        return {"anyOf": [form.schema() for form in self.forms]}
