"""expected.toml: what each client makes of each condition. A run with `--accept` writes it."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.clients import Client
from conformance.outcome import Outcome, differences, outcome_of_table

FILE = Path(__file__).with_name("expected.toml")
ABOUT = """\
# What each client makes of each condition: `python -m conformance.runner` holds reality against it, with
# --accept it writes reality down here. What is empty is left out; outcome.py explains the members.
"""

Expectations = Mapping[str, Mapping[str, Outcome]]  # by client and condition


def load_expectations(file: Path = FILE) -> Expectations:
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        client: {condition: outcome_of_table(table) for condition, table in conditions.items()}
        for client, conditions in tables.items()
    }


def merged(outcomes: Expectations, clients: Mapping[str, Client], file: Path = FILE) -> Expectations:
    """What is expected from now on, in the order of clients.toml: `outcomes`, and the old for all others.

    An outcome that agrees with the old one changes nothing.
    """
    old = load_expectations(file) if file.exists() else {}
    result: dict[str, dict[str, Outcome]] = {}
    for client in clients.values():
        for condition in client.conditions:
            was = old.get(client.id, {}).get(condition)
            now = outcomes.get(client.id, {}).get(condition)
            kept = was if was and (now is None or not differences(now, was)) else now
            if kept:
                result.setdefault(client.id, {})[condition] = kept
    return result


def written(expectations: Expectations) -> str:
    """The text of the file."""
    tables = (
        f"\n[{client}.{condition}]\n{_members(outcome.as_table())}"
        for client, outcomes in expectations.items()
        for condition, outcome in outcomes.items()
    )
    return ABOUT + "".join(tables)


def _members(table: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_toml(value)}\n" for name, value in table.items())


def _toml(value: Any) -> str:
    """A value as TOML, whose strings and scalars are those of JSON but for U+007F, which it wants escaped."""
    match value:
        case dict():
            return f"{{ {', '.join(f'{_key(name)} = {_toml(each)}' for name, each in value.items())} }}"
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name, re.ASCII) else _toml(name)
