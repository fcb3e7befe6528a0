"""What becomes of a request that is judged, and how much judging there is."""

from typing import Literal, NamedTuple

# By the service model's constraints and the semantic rules, by the former only, or not at all.
Validation = Literal["strict", "model", "off"]


class Refused(NamedTuple):
    """Refused before the stream, with an HTTP status. `rule` is empty for the service model's constraints."""

    rule: str
    error: str  # the exception's name
    message: str


class FirstFrame(NamedTuple):
    """Refused by the model: the stream is HTTP 200, and all that it has is a validationException."""

    rule: str
    message: str


Verdict = Refused | FirstFrame | None
