"""Model catalogues in YAML: the packaged one, and the files of users.

models:
  acme.answers-v1: {context: 8000, max_output: 1000, supports: [converse, streaming, system]}
aliases:
  arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3: us.amazon.nova-pro-v1:0
waive: [needs-profile]
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from converse_emulator.language.arguments import NAME, whole
from converse_emulator.language.forms import Form, Value, Word
from converse_emulator.language.loader import read_file
from converse_emulator.language.nodes import Atom
from converse_emulator.language.records import Field, ListOf, MapOf, Record
from converse_emulator.language.scenario import Json
from converse_emulator.models.catalogue import CAPABILITIES, Catalogue, Modality, model_from
from converse_emulator.models.model_ids import GEOGRAPHIES


@dataclass(frozen=True, slots=True)
class Listed:
    """What a file says, as JSON."""

    models: Mapping[str, Mapping[str, Json]]
    aliases: Mapping[str, str]
    enforce: tuple[str, ...] = ()
    waive: tuple[str, ...] = ()


def _price(value: Atom) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def _truth(value: Atom) -> bool | None:
    return value if isinstance(value, bool) else None


def _rules() -> Iterable[str]:
    from converse_emulator.judging.rules import RULES

    return [rule.name for rule in RULES]


def _words(names: Iterable[str]) -> Form[tuple[str, ...]]:
    known = tuple(names)
    return ListOf(Word(lambda: known))


_TRUTH = Value("true or false", _truth, {"type": "boolean"})
_PRICE = Value("US dollars for a million tokens", _price, {"type": "number", "minimum": 0})
_TOKENS = whole("a whole number of tokens", 1)
_RULES = ListOf(Word(_rules))

MODEL: Form[dict[str, Json]] = Record(
    dict,
    {
        "name": Field(NAME, "As ListFoundationModels gives it."),
        "provider": Field(NAME, "As ListFoundationModels gives it."),
        "family": Field(NAME, "Models that speak alike."),
        "context": Field(_TOKENS, "Input tokens that fit."),
        "max_output": Field(_TOKENS, "The most that `maxTokens` may ask for."),
        "input": Field(_words(get_args(Modality)), "What it takes."),
        "output": Field(_words(get_args(Modality)), "What it gives."),
        "supports": Field(_words(CAPABILITIES), "What it can do; everything if not given."),
        "profiles": Field(_words(GEOGRAPHIES), "The geographies of its inference profiles."),
        "on_demand": Field(_TRUTH, "false: called by an inference profile only."),
        "legacy": Field(_TRUTH, "Whether its lifecycle status is LEGACY."),
        "prices": Field(
            Record(dict, {"input": Field(_PRICE, required=True), "output": Field(_PRICE, required=True)}),
            "US dollars for a million tokens.",
        ),
        "enforce": Field(_RULES, "Rules to add that are off by default."),
        "waive": Field(_RULES, "Rules that are not to bind."),
    },
)
FILE: Form[Listed] = Record(
    lambda models=None, aliases=None, **rest: Listed(models or {}, aliases or {}, **rest),
    {
        "models": Field(MapOf(MODEL), "Models by their ids."),
        "aliases": Field(MapOf(NAME), "Other ids, as ARNs, for models or inference profiles."),
        "enforce": Field(_RULES, "Rules to add for every model."),
        "waive": Field(_RULES, "Rules that are not to bind for any model."),
    },
)


def load_models(path: str | Path) -> Listed:
    """What a file says; raises `ScenarioError`."""
    return read_file(FILE, path)


def load_catalogue(path: str | Path) -> Catalogue:
    """The catalogue of a file; raises `ScenarioError`."""
    listed = load_models(path)
    models = {model_id: model_from(model_id, members) for model_id, members in listed.models.items()}
    return Catalogue(models, listed.aliases, frozenset(listed.enforce), frozenset(listed.waive))
