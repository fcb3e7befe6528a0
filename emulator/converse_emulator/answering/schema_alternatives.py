"""The ways to satisfy a JSON Schema, one after the other.

A way is a plain schema, without `$ref`, `allOf`, `anyOf`, `oneOf` and `if`, to make instances from. It may be
too wide (`not`, two patterns at once), so an instance is still to be checked against the schema itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from math import lcm
from random import Random

from converse_emulator.answering.schema_check import UnsupportedSchema, is_type, referred, same
from converse_emulator.language.scenario import Json

Plain = dict[str, Json]

_COMBINING = ("$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "not")
_DEEPEST = 40


def alternatives(schema: Json, root: Json, rng: Random, depth: int = 0) -> Iterator[Plain]:
    """The plain schemas of `schema`, in an order drawn from `rng`; none for `false`."""
    if depth > _DEEPEST:
        raise UnsupportedSchema("it refers to itself without end")
    if isinstance(schema, bool):
        yield from [{}] if schema else []
        return
    plain = {keyword: value for keyword, value in schema.items() if keyword not in _COMBINING}
    if "const" in plain:
        plain["enum"] = [one for one in plain.get("enum", [plain["const"]]) if same(one, plain["const"])]
    yield from _combined(plain, list(_choices(schema, root, rng)), root, rng, depth)


def _choices(schema: Mapping[str, Json], root: Json, rng: Random) -> Iterator[Sequence[Json]]:
    """What an instance has to satisfy besides the plain keywords: one schema of each sequence."""
    if "$ref" in schema:
        yield [referred(schema["$ref"], root)]
    for part in schema.get("allOf", ()):
        yield [part]
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            yield rng.sample(schema[keyword], len(schema[keyword]))
    if "if" in schema:
        met = {"allOf": [schema["if"], schema.get("then", True)]}
        yield rng.sample([met, schema.get("else", True)], 2)


def _combined(
    plain: Plain, choices: Sequence[Sequence[Json]], root: Json, rng: Random, depth: int
) -> Iterator[Plain]:
    if not choices:
        yield plain
        return
    for choice in choices[0]:
        for part in alternatives(choice, root, rng, depth + 1):
            yield from _combined(merged(plain, part), choices[1:], root, rng, depth)


def merged(one: Plain, other: Plain) -> Plain:
    """A schema that asks for both, as far as plain keywords can."""
    both = {
        keyword: _MERGES[keyword](one[keyword], other[keyword]) if keyword in _MERGES else one[keyword]
        for keyword in one.keys() & other.keys()
    }
    return {**one, **other, **both}


def kinds(value: Json) -> list[str]:
    """The argument of `type` as a list."""
    return [value] if isinstance(value, str) else list(value)


def _types(one: Json, other: Json) -> list[str]:
    """The narrower of each two types that overlap: an integer is a number, too."""
    pairs = [(a, b) for a in kinds(one) for b in kinds(other)]
    both = [a if a == b else "integer" for a, b in pairs if a == b or {a, b} == {"integer", "number"}]
    return list(dict.fromkeys(both))


def _all_of(one: Json, other: Json) -> Json:
    return {"allOf": [one, other]}


def _members(one: Mapping[str, Json], other: Mapping[str, Json]) -> dict[str, Json]:
    shared = {name: _all_of(one[name], other[name]) for name in one.keys() & other.keys()}
    return {**one, **other, **shared}


def _union(one: Sequence[Json], other: Sequence[Json]) -> list[Json]:
    return list(dict.fromkeys([*one, *other]))


def _unions(one: Mapping[str, Sequence[Json]], other: Mapping[str, Sequence[Json]]) -> dict[str, Json]:
    return {name: _union(one.get(name, ()), other.get(name, ())) for name in _union(list(one), list(other))}


def _multiple(one: Json, other: Json) -> Json:
    return lcm(one, other) if is_type(one, "integer") and is_type(other, "integer") else max(one, other)


_MERGES: Mapping[str, Callable[[Json, Json], Json]] = {
    "type": _types,
    "enum": lambda one, other: [value for value in one if any(same(value, known) for known in other)],
    "minimum": max,
    "exclusiveMinimum": max,
    "maximum": min,
    "exclusiveMaximum": min,
    "multipleOf": _multiple,
    "minLength": max,
    "maxLength": min,
    "minItems": max,
    "maxItems": min,
    "minProperties": max,
    "maxProperties": min,
    "uniqueItems": lambda one, other: one or other,
    "items": _all_of,
    "contains": _all_of,
    "prefixItems": lambda one, other: [_all_of(a, b) for a, b in zip_longest(one, other, fillvalue=True)],
    "required": _union,
    "properties": _members,
    "patternProperties": _members,
    "additionalProperties": _all_of,
    "propertyNames": _all_of,
    "dependentRequired": _unions,
}
