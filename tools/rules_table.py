"""Writes the tables of semantic rules into docs/validation.md; with `--check`, only says if stale."""

import sys
from itertools import groupby

from converse_emulator.judging.rule import CONVERSE, PREFIX, Rule
from converse_emulator.judging.rules import RULES
from generated import main, row

TITLES = {
    "identifier": "By the model's id",
    "converse": "By the Converse layer",
    "model": "By the model",
}


def tables() -> str:
    """One table a layer, in the order in which requests are judged."""
    return "\n".join(
        _table(layer, list(rules)) for layer, rules in groupby(RULES, key=lambda rule: rule.layer)
    )


def _table(layer: str, rules: list[Rule]) -> str:
    head = [f"### {TITLES[layer]}", "", "| rule | message | binds | evidence |", "|---|---|---|---|"]
    return "\n".join([*head, *map(_row, rules), ""])


def _row(rule: Rule) -> str:
    text = f"{PREFIX if rule.layer == 'model' else ''}{rule.text}"
    evidence = " ".join(part for part in (rule.evidence, rule.seen) if part)
    told = ". ".join(part.rstrip(".") for part in (evidence, rule.note) if part)
    return row(f"`{rule.name}`", f"`` {text} ``", _binds(rule), told)


def _binds(rule: Rule) -> str:
    parts = [
        f"models without `{rule.lacking}`" if rule.lacking else "",
        ", ".join(f"`{prefix}…`" for prefix in rule.models),
        ", ".join(rule.families),
        f"all families but {', '.join(rule.but)}" if rule.but else "",
    ]
    who = "; ".join(filter(None, parts)) or "every model"
    also = ", ".join(name for name in rule.operations if name not in CONVERSE)
    calls = f"; {'also ' if set(CONVERSE) <= set(rule.operations) else ''}{also}" if also else ""
    error = "" if rule.error == "ValidationException" else f"; {rule.error}"
    return f"{who}{calls}{error}{'' if rule.by_default else '; off by default'}"


if __name__ == "__main__":
    raise SystemExit(main("docs/validation.md", "rules_table.py", tables, sys.argv[1:]))
