"""The model catalogue: which models there are, what they can do and how much.

The packaged one is `models.yaml`, read from the JSON beside it, which `tools/catalogue.py` writes:
YAML would take fifty times as long. A model that is not listed is one of its family that can do everything.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from converse_emulator.language.scenario import Json
from converse_emulator.models.model_ids import FAMILIES, family, family_of, identify

FOLDER = Path(__file__).parent

Modality = Literal["TEXT", "IMAGE", "VIDEO", "SPEECH", "EMBEDDING"]
Capability = Literal[
    "converse",
    "streaming",
    "system",
    "tools",
    "streaming_tools",
    "strict_tools",
    "vision",
    "documents",
    "video",
    "audio",
    "s3",
    "caching",
    "reasoning",
    "prefill",
    "temperature_with_top_p",
    "count_tokens",
]
CAPABILITIES: Mapping[Capability, str] = {
    "converse": "`Converse` and `ConverseStream` at all",
    "streaming": "answers in a stream",
    "system": "system prompts",
    "tools": "tools, in `Converse`",
    "streaming_tools": "tools, in `ConverseStream`",
    "strict_tools": "tools with `strict`, and structured output",
    "vision": "`image` blocks",
    "documents": "`document` blocks",
    "video": "`video` blocks",
    "audio": "`audio` blocks",
    "s3": "images and video by their S3 location",
    "caching": "`cachePoint` blocks",
    "reasoning": "reasoning before the answer",
    "prefill": "a message of the assistant's at the end, which the answer goes on with",
    "temperature_with_top_p": "`temperature` and `topP` in one request",
    "count_tokens": "`CountTokens`",
}
EVERYTHING: frozenset[str] = frozenset(CAPABILITIES)


class Prices(NamedTuple):
    """US dollars for a million tokens."""

    input: float
    output: float


class Model(NamedTuple):
    """A foundation model. Limits are in tokens; None is not known, and not enforced."""

    id: str
    name: str
    provider: str = ""
    family: str = ""
    context: int | None = None
    max_output: int | None = None
    input: tuple[Modality, ...] = ("TEXT",)
    output: tuple[Modality, ...] = ("TEXT",)
    supports: frozenset[str] = EVERYTHING
    profiles: tuple[str, ...] = ()  # the geographies of its inference profiles
    on_demand: bool = True  # else it is called by an inference profile only
    legacy: bool = False
    prices: Prices | None = None
    enforce: frozenset[str] = frozenset()  # names of rules that are off by default
    waive: frozenset[str] = frozenset()  # names of rules that are not to bind


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Models by their ids. An alias is another id, as an ARN, for a model or an inference profile."""

    models: Mapping[str, Model]
    aliases: Mapping[str, str] = field(default_factory=dict)
    enforce: frozenset[str] = frozenset()  # rules, for every model
    waive: frozenset[str] = frozenset()

    def resolve(self, model_id: str) -> str:
        """The id that an alias stands for; any other id as it is."""
        return self.aliases.get(model_id, model_id)

    def find(self, model_id: str) -> Model | None:
        """The model that an id of any form leads to; None for what looks like no id of Bedrock's."""
        model_id = self.resolve(model_id)
        if model_id in self.models:  # an id of the user's own may look like anything
            return self.models[model_id]
        named = identify(model_id)
        if named is None:
            return None
        return self._listed(named.base) or unlisted(named.base or model_id)

    def base_id(self, model_id: str) -> str:
        """An id that tells the family of a model of the user's own; empty for all others."""
        model = self.models.get(self.resolve(model_id))
        if model is None or model.family == family(model.id):
            return self.aliases.get(model_id, "")
        prefix = next((known.prefix for known in FAMILIES if known.name == model.family), "")
        return prefix + model.id.rpartition(".")[2]

    def _listed(self, base: str) -> Model | None:
        """The model `base`, also where it says more than the list: `…-v1:0:200k`, `…-v1:0` for `…-v1`."""
        while base not in self.models:
            base, colon, _ = base.rpartition(":")
            if not colon:
                return None
        return self.models[base]

    def extended(self, other: "Catalogue") -> "Catalogue":
        """Both catalogues; where they differ, `other` is right."""
        return Catalogue(
            {**self.models, **other.models},
            {**self.aliases, **other.aliases},
            self.enforce | other.enforce,
            self.waive | other.waive,
        )


def unlisted(model_id: str) -> Model:
    """A model of which only the id is known."""
    found = family_of(model_id)
    return Model(model_id, model_id, found.provider if found else "", found.name if found else "")


def model_from(model_id: str, members: Mapping[str, Json]) -> Model:
    """A model as the catalogue's JSON has it."""
    known = unlisted(model_id)
    values = {"provider": known.provider, "family": known.family, "name": model_id, **members}
    for name in ("input", "output", "profiles"):
        if name in values:
            values[name] = tuple(values[name])
    for name in ("supports", "enforce", "waive"):
        if name in values:
            values[name] = frozenset(values[name])
    if "prices" in values:
        values["prices"] = Prices(**values["prices"])
    return Model(model_id, **values)


@cache
def packaged() -> Catalogue:
    """The catalogue that comes with the emulator."""
    listed = json.loads((FOLDER / "models.json").read_bytes())
    return Catalogue({model_id: model_from(model_id, members) for model_id, members in listed.items()})
