"""Writes the tables of capabilities and models into docs/models.md; with `--check`, only says if stale."""

import sys
from itertools import groupby

from converse_emulator.judging.rules import RULES
from converse_emulator.models.catalogue import CAPABILITIES, Model, packaged
from generated import main, row


def tables() -> str:
    """The capabilities with the rules that ask for them, and the models of each provider."""
    providers = groupby(packaged().models.values(), key=lambda model: model.provider)
    return "\n".join([_capabilities(), *(_models(name, list(models)) for name, models in providers)])


def _capabilities() -> str:
    rows = (row(f"`{name}`", what, _rules(name)) for name, what in CAPABILITIES.items())
    return "\n".join(["| capability | what it is | who lacks it is bound by |", "|---|---|---|", *rows, ""])


def _rules(capability: str) -> str:
    return ", ".join(f"`{rule.name}`" for rule in RULES if rule.lacking == capability)


def _models(provider: str, models: list[Model]) -> str:
    head = [f"### {provider}", "", "| id | name | context | output | called by |", "|---|---|---|---|---|"]
    return "\n".join([*head, *map(_model, models), ""])


def _model(model: Model) -> str:
    limits = (f"{limit:,}" if limit else "" for limit in (model.context, model.max_output))
    by = [*(["id"] if model.on_demand else []), *(f"`{each}.`" for each in model.profiles)]
    return row(f"`{model.id}`", model.name, *limits, ", ".join(by))


if __name__ == "__main__":
    raise SystemExit(main("docs/models.md", "models_table.py", tables, sys.argv[1:]))
