"""Numbers for JSON Schema: whole or not, between bounds, multiples."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor
from random import Random

from converse_emulator.answering.schema_check import UnsupportedSchema
from converse_emulator.language.scenario import Json

_SPAN = 100  # how far a number goes from the one bound that is given


def some_number(plain: Mapping[str, Json], rng: Random, *, whole: bool) -> int | float:
    """A number for a plain schema, on a grid: of the multiples asked for, whole numbers, or hundredths."""
    step = Fraction(str(plain.get("multipleOf", 1 if whole else 0.01)))
    if step <= 0:
        raise UnsupportedSchema(f"multipleOf {plain['multipleOf']}, which is not above 0")
    if whole:
        step = Fraction(step.numerator)  # the whole multiples of n/d are those of n
    first, last = _grid(plain, step)
    if first <= last:
        number = rng.randint(first, last) * step
        return number.numerator if number.denominator == 1 else float(number)
    if whole or "multipleOf" in plain:
        raise UnsupportedSchema("a number that its bounds leave no room for")
    return _between(plain, rng)


def _grid(plain: Mapping[str, Json], step: Fraction) -> tuple[int, int]:
    """The first and the last multiple of `step` within the bounds."""
    least = [ceil(bound / step) for bound in _bounds(plain, "minimum")]
    least += [floor(bound / step) + 1 for bound in _bounds(plain, "exclusiveMinimum")]
    most = [floor(bound / step) for bound in _bounds(plain, "maximum")]
    most += [ceil(bound / step) - 1 for bound in _bounds(plain, "exclusiveMaximum")]
    span = max(_SPAN, ceil(_SPAN / step))
    if not least:
        least = [min(0, min(most) - span)] if most and min(most) < 0 else [0]
    return max(least), min(most) if most else max(least) + span


def _between(plain: Mapping[str, Json], rng: Random) -> float:
    """A number between bounds that are too close for the grid."""
    low = max(_bounds(plain, "minimum") + _bounds(plain, "exclusiveMinimum"))
    high = min(_bounds(plain, "maximum") + _bounds(plain, "exclusiveMaximum"))
    return float(low + (high - low) * Fraction(rng.randint(1, 3), 4))


def _bounds(plain: Mapping[str, Json], keyword: str) -> list[Fraction]:
    if isinstance(plain.get(keyword), bool):
        raise UnsupportedSchema(f"{keyword} as a boolean, which only draft 4 knows")
    return [Fraction(str(plain[keyword]))] if keyword in plain else []
