"""Embeddings made up: the same for the same text, and near each other for texts that share words."""

import math
import re
from collections import Counter
from random import Random

_PLACES = 24  # of a vector that a word moves
_WORD = re.compile(r"\w+")


def vector(text: str, dimensions: int, *, normalized: bool = True) -> list[float]:
    """A vector of so many dimensions; of length 1 if `normalized`."""
    values = _noise(text, dimensions)
    for word, times in Counter(_WORD.findall(text.lower())).items():
        rng = Random(f"{word}:{dimensions}")
        for _ in range(_PLACES):
            values[rng.randrange(dimensions)] += rng.choice((-times, times))
    length = math.sqrt(sum(value * value for value in values)) if normalized else 1.0
    return [round(value / length, 9) for value in values]


def _noise(text: str, dimensions: int) -> list[float]:
    rng = Random(text)
    return [rng.uniform(-0.05, 0.05) for _ in range(dimensions)]
