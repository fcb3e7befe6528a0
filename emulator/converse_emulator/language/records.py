"""Forms of lists and mappings: what may stand in them, and what must."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from converse_emulator.errors import Mistake, ScenarioError, did_you_mean
from converse_emulator.language.forms import Form, Gather, Value
from converse_emulator.language.nodes import Items, Members, Node, plain
from converse_emulator.language.scenario import Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListOf(Form[tuple[T, ...]]):
    """A list of one kind of thing."""

    form: Form[T]
    at_least: int = 0
    exact: bool = False  # not more than `at_least` either

    @property
    def wants(self) -> str:
        return f"a list of {self.form.wants}"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Items)

    def read(self, node: Node) -> tuple[T, ...]:
        if not isinstance(node, Items):
            raise self.refuse(node)
        gather = Gather()
        length = len(node.nodes)
        if length < self.at_least or (self.exact and length > self.at_least):
            number = f"{self.at_least}{'' if self.exact else ' or more'}"
            gather.add(node.place, f"a list of {length}", f"{number} of: {self.form.wants}")
        values = [gather.read(self.form, item) for item in node.nodes]
        gather.settle()
        return tuple(cast("list[T]", values))

    def schema(self) -> dict[str, Json]:
        least: dict[str, Json] = {"minItems": self.at_least} if self.at_least else {}
        most: dict[str, Json] = {"maxItems": self.at_least} if self.exact else {}
        return {"type": "array", "items": self.form.schema(), **least, **most}


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a record."""

    form: Form[Any]
    about: str = ""
    required: bool = False

    def schema(self) -> dict[str, Json]:
        """The member's JSON Schema."""
        return {**self.form.schema(), **({"description": self.about} if self.about else {})}


@dataclass(frozen=True, slots=True)
class Record(Form[T]):
    """A mapping with known members. In a `OneOf` the member `tag` tells it from the other records."""

    make: Callable[..., T]
    fields: Mapping[str, Field]
    tag: str | None = None

    @property
    def wants(self) -> str:
        return "{" + ", ".join(self.fields) + "}"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Members) and (self.tag is None or self.tag in node.nodes)

    def read(self, node: Node) -> T:
        if not isinstance(node, Members):
            raise self.refuse(node)
        gather = Gather()
        for name in node.nodes:
            if name not in self.fields:
                hint = did_you_mean(name, self.fields)
                gather.add(node.key_place(name), f"unknown member {name!r}{hint}", ", ".join(self.fields))
        for name in (
            name for name, member in self.fields.items() if member.required and name not in node.nodes
        ):
            gather.add(node.place, f"{name!r} is missing", self.wants)
        values = {
            name: gather.read(member.form, node.nodes[name])
            for name, member in self.fields.items()
            if name in node.nodes
        }
        gather.settle()
        try:
            return self.make(**values)
        except ValueError as error:
            raise ScenarioError([Mistake(node.place, str(error))]) from error

    def schema(self) -> dict[str, Json]:
        required = [name for name, member in self.fields.items() if member.required]
        return {
            "type": "object",
            "properties": {name: member.schema() for name, member in self.fields.items()},
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }


@dataclass(frozen=True, slots=True)
class MapOf(Form[dict[str, T]]):
    """A mapping with names of the reader's choice."""

    form: Form[T]
    key: Value[str] | None = None

    @property
    def wants(self) -> str:
        return f"a mapping of names to {self.form.wants}"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Members)

    def read(self, node: Node) -> dict[str, T]:
        if not isinstance(node, Members):
            raise self.refuse(node)
        gather = Gather()
        for name in node.nodes:
            if self.key is not None and self.key.parse(name) is None:
                gather.add(node.key_place(name), f"{name!r} is not allowed here", self.key.wants)
        values = {name: gather.read(self.form, item) for name, item in node.nodes.items()}
        gather.settle()
        return cast("dict[str, T]", values)

    def schema(self) -> dict[str, Json]:
        names = {"propertyNames": self.key.schema()} if self.key else {}
        return {"type": "object", "additionalProperties": self.form.schema(), **names}


@dataclass(frozen=True, slots=True)
class Anything(Form[Json]):
    """Any JSON value, or any JSON object."""

    mapping: bool = False

    @property
    def wants(self) -> str:
        return "any mapping" if self.mapping else "any JSON value"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Members) or not self.mapping

    def read(self, node: Node) -> Json:
        if not self.fits(node):
            raise self.refuse(node)
        return plain(node)

    def schema(self) -> dict[str, Json]:
        return {"type": "object"} if self.mapping else {}
