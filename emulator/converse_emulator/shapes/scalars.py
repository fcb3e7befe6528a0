"""Checks of the scalar shapes: strings, numbers, booleans, blobs, timestamps.

`SCALARS` maps a shape's `type` to a function that makes the check from the shape. Numbers are strict: `true`
is no integer, nor is `1.0`; NaN and infinity are out of every range.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from math import inf

from converse_emulator.shapes.patterns import translate
from converse_emulator.shapes.violations import VALID, Json, Violation, mistyped, shown

Shape = Mapping[str, Json]
Check = Callable[[Json], Sequence[Violation]]

LONGEST_NAME = 256  # characters
# RFC 3339, as SDKs write it, or a date alone. Python takes more for ISO 8601: weeks, any separator.
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_LARGEST_FLOAT = 1.7976931348623157e308  # a bound that shuts out infinity, NaN and integers beyond


def at_most(bound: float) -> str:
    return f"Member must have length less than or equal to {bound}"


def at_least(bound: float) -> str:
    return f"Member must have length greater than or equal to {bound}"


def length_problem(length: int, shape: Shape) -> str | None:
    """What is wrong with the length of a string (in code points), list, map or blob (in bytes)."""
    if length > shape.get("max", inf):
        return at_most(shape["max"])
    if length < shape.get("min", 0):
        return at_least(shape["min"])
    return None


def string(shape: Shape) -> Check:
    if "enum" in shape:
        return _enumeration(shape["enum"])
    if "pattern" in shape or "min" in shape or "max" in shape:
        return _constrained_string(shape)
    return _any_string


def _any_string(value: Json) -> Sequence[Violation]:
    return VALID if type(value) is str else [mistyped(value, "String")]


def _enumeration(values: Sequence[str]) -> Check:
    allowed = frozenset(values)
    constraint = f"Member must satisfy enum value set: [{', '.join(values)}]"

    def check(value: Json) -> Sequence[Violation]:
        if type(value) is not str:
            return [mistyped(value, "String")]
        return VALID if value in allowed else [Violation(constraint, shown(value))]

    return check


def _constrained_string(shape: Shape) -> Check:
    low, high = shape.get("min", 0), shape.get("max", inf)
    matches = _remembering(translate(shape["pattern"])) if "pattern" in shape else None

    def check(value: Json) -> Sequence[Violation]:
        if type(value) is not str:
            return [mistyped(value, "String")]
        if low <= len(value) <= high and (matches is None or matches(value)):
            return VALID
        wrong = [length_problem(len(value), shape)]
        if matches is not None and not matches(value):
            wrong.append(f"Member must satisfy regular expression pattern: {shape['pattern']}")
        return [Violation(what, shown(value)) for what in wrong if what]

    return check


def _remembering(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    """Whether a string matches; most are names that come again, as models' ids do."""

    def matches(value: str) -> bool:
        return pattern.fullmatch(value) is not None

    remembered = lru_cache(maxsize=256)(matches)
    return lambda value: remembered(value) if len(value) <= LONGEST_NAME else matches(value)


def integer(shape: Shape, *, bits: int, name: str) -> Check:
    low = shape.get("min", -(2 ** (bits - 1)))
    high = shape.get("max", 2 ** (bits - 1) - 1)

    def check(value: Json) -> Sequence[Violation]:
        if type(value) is not int:
            return [mistyped(value, name)]
        return VALID if low <= value <= high else [_out_of_range(value, low, high, shown(value))]

    return check


def floating(shape: Shape, *, name: str) -> Check:
    low = shape.get("min", -_LARGEST_FLOAT)
    high = shape.get("max", _LARGEST_FLOAT)

    def check(value: Json) -> Sequence[Violation]:
        if type(value) is not float and type(value) is not int:
            return [mistyped(value, name)]
        if low <= value <= high:
            return VALID
        printed = f"'{value}.0'" if type(value) is int else f"'{value}'"
        return [_out_of_range(value, low, high, printed)]

    return check


def _out_of_range(value: float, low: float, high: float, printed: str | None) -> Violation:
    if value < low:
        return Violation(f"Member must have value greater than or equal to {low}", printed)
    return Violation(f"Member must have value less than or equal to {high}", printed)


def boolean(shape: Shape) -> Check:  # noqa: ARG001  the common signature
    return lambda value: VALID if type(value) is bool else [mistyped(value, "Boolean")]


def blob(shape: Shape) -> Check:
    def check(value: Json) -> Sequence[Violation]:
        if type(value) is not str:
            return [mistyped(value, "ByteBuffer")]
        try:
            decoded = a2b_base64(value, strict_mode=True)
        except (Base64Error, ValueError):  # ValueError: characters outside ASCII
            return [Violation("Member must be base64 with padding")]
        what = length_problem(len(decoded), shape)
        return [Violation(what)] if what else VALID

    return check


def timestamp(shape: Shape) -> Check:
    if shape.get("timestampFormat", "unixTimestamp") == "unixTimestamp":
        return floating({}, name="Date")
    return _written_timestamp


def _written_timestamp(value: Json) -> Sequence[Violation]:
    if type(value) is not str:
        return [mistyped(value, "Date")]
    from datetime import datetime  # few requests have one

    try:
        datetime.fromisoformat(value)
        is_one = _TIMESTAMP.fullmatch(value) is not None
    except ValueError:
        is_one = False
    return VALID if is_one else [Violation("Member must be an ISO 8601 timestamp", shown(value))]


SCALARS: Mapping[str, Callable[[Shape], Check]] = {
    "string": string,
    "integer": partial(integer, bits=32, name="Integer"),
    "long": partial(integer, bits=64, name="Long"),
    "float": partial(floating, name="Float"),
    "double": partial(floating, name="Double"),
    "boolean": boolean,
    "blob": blob,
    "timestamp": timestamp,
}
