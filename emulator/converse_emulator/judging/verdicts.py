"""What becomes of a request that is judged, and how much judging there is."""

from dataclasses import dataclass
from typing import Literal

# By the service model's constraints and the semantic rules, by the former only, or not at all.
Validation = Literal["strict", "model", "off"]


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused before the stream, with an HTTP status. `rule` is empty for the service model's constraints."""

    rule: str
    error: str  # the exception's name
    message: str


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """Refused by the model: the stream is HTTP 200, and all that it has is a validationException."""

    rule: str
    message: str


Verdict = Refused | FirstFrame | None
