"""An instance of a JSON Schema, as tool definitions use them: what a model would put into `toolUse.input`.

Makes candidates from each way to satisfy the schema (`schema_alternatives`) and checks them (`schema_check`):
what comes back is valid. Where none is found, because there is none or because the schema is beyond the means
of this module, `UnsupportedSchema` says why.
"""

from collections.abc import Iterable, Iterator, Sequence
from random import Random

from converse_emulator.answering.schema_alternatives import Plain, alternatives, kinds
from converse_emulator.answering.schema_check import UnsupportedSchema, named, same, searching, valid
from converse_emulator.answering.schema_numbers import some_number
from converse_emulator.answering.schema_strings import some_string
from converse_emulator.language.scenario import Json

__all__ = ["UnsupportedSchema", "instance"]

_TRIES = 8  # candidates of one way to satisfy a schema
_WORK = 3_000  # candidates in all
_DEEP = 4  # from here on objects have only the members they must have
_DEEPEST = 30

# What a schema without `type` is about, by its keywords.
_DOMAINS = {
    "object": {"properties", "required", "additionalProperties", "patternProperties", "minProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}


class _OutOfWork(Exception):
    pass


def instance(schema: Json, rng: Random) -> Json:
    """A JSON value that is valid under `schema`; equal streams of chance give equal ones."""
    try:
        return _Maker(schema, rng).make(schema, 0)
    except UnsupportedSchema as error:
        raise UnsupportedSchema(f"no instance can be made: {error}") from error
    except (_OutOfWork, RecursionError) as error:
        raise UnsupportedSchema("no instance was found within reasonable effort") from error
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise UnsupportedSchema(f"no instance can be made, this is no JSON Schema: {error}") from error


class _Maker:
    def __init__(self, root: Json, rng: Random) -> None:
        self._root = root
        self._rng = rng
        self._work = _WORK

    def make(self, schema: Json, depth: int) -> Json:
        if depth > _DEEPEST:
            raise UnsupportedSchema("it needs members without end")
        reason = UnsupportedSchema(f"nothing satisfies {schema!r:.200}")
        for plain in alternatives(schema, self._root, self._rng):
            self._spend()
            for candidates in self._ways(plain, depth):
                try:
                    for candidate in candidates:
                        self._spend()
                        if valid(candidate, schema, self._root):
                            return candidate
                except UnsupportedSchema as error:
                    reason = error
        raise reason

    def _spend(self) -> None:
        self._work -= 1
        if self._work < 0:
            raise _OutOfWork

    def _ways(self, plain: Plain, depth: int) -> Iterator[Iterable[Json]]:
        """Candidates: those that the schema itself gives, then made ones of each type, null last."""
        if "enum" in plain:
            yield self._rng.sample(plain["enum"], len(plain["enum"]))
            return
        yield [*plain.get("examples", ()), *([plain["default"]] if "default" in plain else ())]
        if "type" in plain:
            types = kinds(plain["type"])
            types = sorted(self._rng.sample(types, len(types)), key="null".__eq__)
        else:
            types = [next((kind for kind, words in _DOMAINS.items() if words & plain.keys()), "string")]
        for kind in types:
            yield self._made(kind, plain, depth)

    def _made(self, kind: str, plain: Plain, depth: int) -> Iterator[Json]:
        """Candidates of one type; the later ones hold no more than is required."""
        for attempt in range(_TRIES):
            sparse = depth >= _DEEP or attempt >= _TRIES // 2
            match kind:
                case "object":
                    yield self._object(plain, depth, sparse)
                case "array":
                    yield self._array(plain, depth, sparse)
                case "string":
                    yield some_string(plain, self._rng)
                case "integer" | "number":
                    yield some_number(plain, self._rng, whole=kind == "integer")
                case "boolean":
                    yield self._rng.random() < 0.5
                case "null":
                    yield None
                case _:
                    raise UnsupportedSchema(f"the type {kind!r}")

    def _array(self, plain: Plain, depth: int, sparse: bool) -> list[Json]:
        prefix, each = plain.get("prefixItems", []), plain.get("items", True)
        needed = plain.get("minContains", 1) if "contains" in plain else 0
        least = max(plain.get("minItems", 0), needed)
        length = least if sparse else max(least, self._rng.randint(1, 3))
        items: list[Json] = []
        for position in range(min(length, max(least, plain.get("maxItems", length)))):
            schema = prefix[position] if position < len(prefix) else each
            if position < needed:
                schema = {"allOf": [schema, plain["contains"]]}
            try:
                items.append(self._item(schema, items if plain.get("uniqueItems") else (), depth))
            except UnsupportedSchema:
                if position < least:
                    raise
                break
        return items

    def _item(self, schema: Json, others: Sequence[Json], depth: int) -> Json:
        """An item unlike the `others`."""
        for _ in range(_TRIES * 2):
            item = self.make(schema, depth + 1)
            if not any(same(item, other) for other in others):
                return item
        raise UnsupportedSchema(f"more than {len(others)} different items of {schema!r:.200}")

    def _object(self, plain: Plain, depth: int, sparse: bool) -> dict[str, Json]:
        required = self._required(plain)
        chosen = [*required, *(name for name in plain.get("properties", ()) if name not in required)]
        room = max(len(required), plain.get("maxProperties", len(chosen)))
        least = max(len(required), plain.get("minProperties", 0))
        members: dict[str, Json] = {}
        for name in chosen:
            wanted = name in required or len(members) < least or not (sparse or self._rng.random() < 0.5)
            if wanted and len(members) < room:
                try:
                    members[name] = self.make(_member_schema(name, plain), depth + 1)
                except UnsupportedSchema:
                    if name in required:
                        raise
        while len(members) < least:
            name = self._new_name(plain, len(members), depth)
            members[name] = self.make(_member_schema(name, plain), depth + 1)
        return {name: members[name] for name in [*plain.get("properties", ()), *members] if name in members}

    def _required(self, plain: Plain) -> list[str]:
        """The members that must be there, and those that their presence asks for."""
        required = list(plain.get("required", ()))
        for name in required:  # grows on the way
            required += [
                more for more in plain.get("dependentRequired", {}).get(name, ()) if more not in required
            ]
        return required

    def _new_name(self, plain: Plain, number: int, depth: int) -> str:
        """A name for a member that no property describes."""
        patterns = list(plain.get("patternProperties", ()))
        names = plain.get("propertyNames", True)
        if patterns:
            names = {"allOf": [{"pattern": self._rng.choice(patterns)}, names]}
        if names is True:
            return f"member{number + 1}"
        return str(self.make({"allOf": [{"type": "string"}, names]}, depth + 1))


def _member_schema(name: str, plain: Plain) -> Json:
    """All that a schema says about its member `name`."""
    if not named(name, plain):
        return plain.get("additionalProperties", True)
    about = [plain["properties"][name]] if name in plain.get("properties", ()) else []
    about += [
        schema
        for pattern, schema in plain.get("patternProperties", {}).items()
        if searching(pattern).search(name)
    ]
    return about[0] if len(about) == 1 else {"allOf": about}
