"""A request to the data plane, parsed: the noun that matching, validation and scripts look at."""

from collections.abc import Mapping
from dataclasses import dataclass

from converse_emulator.scenario import Json


@dataclass(frozen=True, slots=True)
class Request:
    """One call of an operation. `headers` have lower-case names; `body` is the parsed JSON object."""

    operation: str  # as in the service model: Converse, ConverseStream
    model_id: str  # decoded
    headers: Mapping[str, str]
    body: Mapping[str, Json]
    session: str = "default"
    scenario: str | None = None  # the scenario that the path names
