"""Durations as people write them: `800ms`, `12.5ms`, `3s`, `2min`, or a number of seconds."""

import re

PATTERN = r"^[0-9]+(\.[0-9]+)?(ms|s|min)$"  # JSON Schema reads it too
LONGEST = 86_400.0  # seconds; a day: longer is a slip of the pen
WANTED = "a duration such as 800ms, 12.5ms, 3s, 2min or a number of seconds (at most a day)"
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0}


def seconds(value: object) -> float | None:
    """The duration in seconds; None when `value` is none."""
    match value:
        case bool():
            return None
        case int() | float():
            length = float(value) if value <= LONGEST else LONGEST + 1
        case str() if found := re.fullmatch(PATTERN, value):
            unit = found.group(2)
            length = float(value.removesuffix(unit)) * _SECONDS[unit]
        case _:
            return None
    return length if 0 <= length <= LONGEST else None
