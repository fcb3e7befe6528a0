"""A request to the data plane, parsed: the noun that matching, validation and scripts look at."""

from collections.abc import Mapping
from typing import NamedTuple

from converse_emulator.language.scenario import Json
from converse_emulator.scripting.prompt_cache import CacheUse

INVOCATION = "amz-sdk-invocation-id"  # a header: the same for all attempts of one call of an SDK


class Request(NamedTuple):
    """One call of an operation. `headers` have lower-case names.

    `body` is the parsed JSON object, as Converse would have it; where it came in a model's own format that
    one is `native`.
    """

    operation: str  # as in the service model: Converse, ConverseStream
    model_id: str  # decoded
    headers: Mapping[str, str]
    body: Mapping[str, Json]
    session: str = "default"
    scenario: str | None = None  # the scenario that the path names
    http_version: str = "1.1"
    native: Mapping[str, Json] | None = None
    base_id: str = ""  # an id that tells the model's family, where `model_id` does not
    cache: CacheUse | None = None  # what it reads from the prompt cache; None: it has no cachePoint

    @property
    def model(self) -> str:
        """The id by which the model is known."""
        return self.base_id or self.model_id
