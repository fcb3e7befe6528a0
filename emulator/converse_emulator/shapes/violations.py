"""What is wrong with a value, in the words of the service.

    Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value ...

Each text names the member. Reported of real Bedrock: the frame, paths that count list items from 1 and append
`.member`, `Value null at` for what is missing, numbers as Java prints them (`99.0`), lists as `[a, b]`, and
no value for lists of structures. The words for a wrong type are real too, but the service sends them alone,
as a `SerializationException`; here they stand in the same frame, so that the member is named.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

Json = Any


class Violation(NamedTuple):
    """One broken constraint. `path` leads to the member, None: it is the value itself; `value` is as printed,
    `None` when it is not."""

    constraint: str
    value: str | None = None
    path: str | None = None

    def __str__(self) -> str:
        value = "Value" if self.value is None else f"Value {self.value}"
        return f"{value} at '{self.path or ''}' failed to satisfy constraint: {self.constraint}"


VALID: Sequence[Violation] = ()
MISSING = Violation("Member must not be null", "null")


def summary(violations: Sequence[str]) -> str:
    """The message of the `ValidationException` for these violations."""
    errors = "error" if len(violations) == 1 else "errors"
    return f"{len(violations)} validation {errors} detected: {'; '.join(violations)}"


def within(step: str, violations: Iterable[Violation]) -> list[Violation]:
    """The violations of a member, as its container reports them."""
    return [
        each._replace(path=f"{step}.{each.path}" if each.path is not None else step) for each in violations
    ]


def unprinted(violations: Iterable[Violation]) -> list[Violation]:
    """The violations without the values."""
    return [each._replace(value=None) for each in violations]


def shown(value: Json) -> str | None:
    """A value as the service prints it; `None` for what it does not print."""
    match value:
        case dict() | []:
            return None
        case list():
            items = [_plain(item) for item in value if not isinstance(item, dict | list)]
            return f"'[{', '.join(items)}]'" if len(items) == len(value) else None
        case _:
            return f"'{_plain(value)}'"


def _plain(value: Json) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case _:
            return str(value)


def mistyped(value: Json, expected: str) -> Violation:
    """A value of the wrong type; `expected` is a scalar's Java class, or `structure`, `list`, `map`."""
    match value:
        case dict():
            what = "Start of structure or map found where not expected"
        case list():
            what = "Start of list found where not expected"
        case _ if expected.islower():
            what = f"Expected {expected} or null"
        case _:
            what = f"{_token(value)} cannot be converted to {expected}"
    return Violation(what, shown(value))


def _token(value: Json) -> str:
    match value:
        case str():
            return "STRING_VALUE"
        case bool():
            return "TRUE_VALUE" if value else "FALSE_VALUE"
        case int():
            return "NUMBER_VALUE"
        case float():
            return "DECIMAL_VALUE"
        case _:  # only a value that never was JSON
            return type(value).__name__
