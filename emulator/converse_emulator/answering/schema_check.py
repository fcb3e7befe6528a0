"""Whether a JSON value is valid under a JSON Schema (2020-12, and what older drafts spell the same).

`format` and other annotations assert nothing, as in the specification. What a tool's schema may say but
nothing here can judge raises `UnsupportedSchema`, so that "valid" is never a guess.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import combinations
from math import isfinite
from urllib.parse import unquote

from converse_emulator.language.scenario import Json


class UnsupportedSchema(ValueError):
    """A schema that has no instance, or for which none can be made here; the message says why."""


def valid(value: Json, schema: Json, root: Json) -> bool:
    """Whether `value` is valid under `schema`, whose references point into `root`."""
    if isinstance(schema, bool):
        return schema
    if unsupported := _UNSUPPORTED & schema.keys():
        raise UnsupportedSchema(f"the keyword {min(unsupported)}")
    return all(
        _CHECKS[keyword](value, argument, schema, root)
        for keyword, argument in schema.items()
        if keyword in _CHECKS
    )


def referred(reference: Json, root: Json) -> Json:
    """The schema that a `$ref` within the same document points to."""
    if not isinstance(reference, str) or not re.fullmatch(r"#(/.*)?", reference, re.DOTALL):
        raise UnsupportedSchema(f"the reference {reference!r}, which is not a path within the schema")
    target = root
    for part in unquote(reference).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            target = target[int(key)] if isinstance(target, list) else target[key]
        except (LookupError, ValueError, TypeError) as error:
            raise UnsupportedSchema(f"the reference {reference!r}, which leads nowhere") from error
    return target


def same(one: Json, other: Json) -> bool:
    """Equality of JSON values: 1 is 1.0, but true is not 1."""
    match one, other:
        case (bool(), _) | (_, bool()):
            return one is other
        case dict(), dict():
            return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(map(same, one, other))
        case _:
            return bool(one == other)


@lru_cache(maxsize=256)
def searching(pattern: str) -> re.Pattern[str]:
    """A schema's `pattern`, for `search`."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UnsupportedSchema(f"the pattern {pattern!r}: {error}") from error


def is_type(value: Json, name: str) -> bool:
    """Whether `value` is of the JSON Schema type `name`."""
    match value:
        case None:
            return name == "null"
        case bool():
            return name == "boolean"
        case int():
            return name in ("integer", "number")
        case float():
            return name == "number" or (name == "integer" and value.is_integer())
        case str():
            return name == "string"
        case list():
            return name == "array"
        case _:
            return name == "object"


Check = Callable[[Json, Json, Mapping[str, Json], Json], bool]


def _for(kind: str, check: Check) -> Check:
    """A check that only values of one type have to pass."""
    return lambda value, argument, schema, root: (
        not is_type(value, kind) or check(value, argument, schema, root)
    )


def _multiple(value: float, of: float) -> bool:
    quotient = value / of
    return isfinite(quotient) and quotient == int(quotient)


def _type(value: Json, names: Json, _schema: Json, _root: Json) -> bool:
    return any(is_type(value, name) for name in ([names] if isinstance(names, str) else names))


def _items(value: list[Json], each: Json, schema: Mapping[str, Json], root: Json) -> bool:
    further = value[len(schema.get("prefixItems", ())) :]
    return all(valid(item, each, root) for item in further)


def _prefix_items(value: list[Json], schemas: list[Json], _schema: Json, root: Json) -> bool:
    return all(valid(item, schema, root) for item, schema in zip(value, schemas, strict=False))


def _contains(value: list[Json], some: Json, schema: Mapping[str, Json], root: Json) -> bool:
    found = sum(valid(item, some, root) for item in value)
    return bool(schema.get("minContains", 1) <= found <= schema.get("maxContains", len(value)))


def _properties(value: dict[str, Json], properties: Json, _schema: Json, root: Json) -> bool:
    return all(valid(value[name], properties[name], root) for name in value.keys() & properties.keys())


def _pattern_properties(value: dict[str, Json], patterns: Json, _schema: Json, root: Json) -> bool:
    return all(
        valid(member, schema, root)
        for pattern, schema in patterns.items()
        for name, member in value.items()
        if searching(pattern).search(name)
    )


def _additional(value: dict[str, Json], each: Json, schema: Mapping[str, Json], root: Json) -> bool:
    return all(valid(value[name], each, root) for name in value if not named(name, schema))


def named(name: str, schema: Mapping[str, Json]) -> bool:
    """Whether `properties` or `patternProperties` say something about the member `name`."""
    return name in schema.get("properties", ()) or any(
        searching(pattern).search(name) for pattern in schema.get("patternProperties", ())
    )


def _condition(value: Json, condition: Json, schema: Mapping[str, Json], root: Json) -> bool:
    branch = "then" if valid(value, condition, root) else "else"
    return valid(value, schema.get(branch, True), root)


def _dependent(value: dict[str, Json], needs: Json, _schema: Json, _root: Json) -> bool:
    return all(value.keys() >= set(names) for name, names in needs.items() if name in value)


_UNSUPPORTED = frozenset(
    {"$dynamicRef", "$recursiveRef", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties"}
)
_CHECKS: Mapping[str, Check] = {
    "$ref": lambda value, reference, _, root: valid(value, referred(reference, root), root),
    "allOf": lambda value, schemas, _, root: all(valid(value, schema, root) for schema in schemas),
    "anyOf": lambda value, schemas, _, root: any(valid(value, schema, root) for schema in schemas),
    "oneOf": lambda value, schemas, _, root: sum(valid(value, schema, root) for schema in schemas) == 1,
    "not": lambda value, schema, _, root: not valid(value, schema, root),
    "if": _condition,
    "type": _type,
    "const": lambda value, constant, *_: same(value, constant),
    "enum": lambda value, values, *_: any(same(value, one) for one in values),
    "minimum": _for("number", lambda value, bound, *_: value >= bound),
    "maximum": _for("number", lambda value, bound, *_: value <= bound),
    "exclusiveMinimum": _for("number", lambda value, bound, *_: value > bound),
    "exclusiveMaximum": _for("number", lambda value, bound, *_: value < bound),
    "multipleOf": _for("number", lambda value, of, *_: _multiple(value, of)),
    "minLength": _for("string", lambda value, least, *_: len(value) >= least),
    "maxLength": _for("string", lambda value, most, *_: len(value) <= most),
    "pattern": _for("string", lambda value, pattern, *_: bool(searching(pattern).search(value))),
    "items": _for("array", _items),
    "prefixItems": _for("array", _prefix_items),
    "contains": _for("array", _contains),
    "minItems": _for("array", lambda value, least, *_: len(value) >= least),
    "maxItems": _for("array", lambda value, most, *_: len(value) <= most),
    "uniqueItems": _for(
        "array",
        lambda value, unique, *_: not (unique and any(same(*pair) for pair in combinations(value, 2))),
    ),
    "properties": _for("object", _properties),
    "patternProperties": _for("object", _pattern_properties),
    "additionalProperties": _for("object", _additional),
    "propertyNames": _for(
        "object", lambda value, names, _, root: all(valid(name, names, root) for name in value)
    ),
    "required": _for("object", lambda value, names, *_: value.keys() >= set(names)),
    "minProperties": _for("object", lambda value, least, *_: len(value) >= least),
    "maxProperties": _for("object", lambda value, most, *_: len(value) <= most),
    "dependentRequired": _for("object", _dependent),
}
