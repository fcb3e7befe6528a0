"""What Claude's strict tools and structured outputs do not take of JSON Schema."""

from collections.abc import Iterator, Mapping, Sequence

from converse_emulator.language.scenario import Json

_NUMERIC = ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf")
_KEYWORDS: Mapping[str, Sequence[str]] = {
    "array": ("maxItems", "uniqueItems"),
    "integer": _NUMERIC,
    "number": _NUMERIC,
    "string": ("maxLength", "minLength"),
}


def unsupported(schema: Json) -> str | None:
    """What the first part of `schema` that is not taken gets to hear; None if all of it is taken."""
    for part in _parts(schema):
        kind = part.get("type")
        if not isinstance(kind, str):
            continue
        if found := sorted(set(_KEYWORDS.get(kind, ())) & set(part)):
            return f"For '{kind}' type, {_properties(found)} not supported"
        if kind == "array" and part.get("minItems", 0) not in (0, 1):
            return (
                f"For 'array' type, 'minItems' values other than 0 or 1 are not supported (got: "
                f"[{part['minItems']}])"
            )
    return None


def _properties(names: Sequence[str]) -> str:
    return f"property '{names[0]}' is" if len(names) == 1 else f"properties {', '.join(names)} are"


def _parts(schema: Json) -> Iterator[Mapping[str, Json]]:
    """The schema and all that are within it."""
    match schema:
        case Mapping():
            yield schema
            for value in schema.values():
                yield from _parts(value)
        case list():
            for value in schema:
                yield from _parts(value)
