"""Writes what is known of the wire, and on how much it rests, into docs/evidence.md; `--check` compares."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from converse_emulator.http.refusals import REFUSALS
from converse_emulator.linting.endpoint_rules import ENDPOINT_RULES
from converse_emulator.linting.wire_rules import RULES
from evidence_count import FILE
from generated import main, row

COUNTS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


def content() -> str:
    """All tables."""
    parts = [
        ["### The rules of a stream", "", *rules()],
        ["### The rules of a response", "", *endpoint_rules()],
        ["### What a stream may say", "", *seen()],
        ["### Errors", "", *errors()],
    ]
    return "\n".join(line for part in parts for line in [*part, ""]).rstrip() + "\n"


def rules() -> Iterator[str]:
    """A row for each rule of `lint`, with the streams at hand that keep it."""
    streams = COUNTS["recordings"]["converse-stream"]
    yield row("rule", "what it says", "known from", f"kept by, of {streams} streams at hand")
    yield "|---|---|---|---|"
    for rule in RULES:
        yield row(f"`{rule.name}`", rule.requirement, rule.evidence, str(COUNTS["rules"][rule.name]))


def endpoint_rules() -> Iterator[str]:
    """The same for responses."""
    yield row("rule", "what it says", "known from")
    yield "|---|---|---|"
    for rule in ENDPOINT_RULES:
        yield row(f"`{rule.name}`", rule.requirement, rule.evidence)


def seen() -> Iterator[str]:
    """A row for each member and stop reason of the service model."""
    yield row("event or exception", "member or value", "streams that show it")
    yield "|---|---|---|"
    for path, streams in COUNTS["seen"].items():
        event, _, member = path.partition(".")
        yield row(f"`{event}`", f"`{member}`" if member else "", str(streams) if streams else "**none**")


def errors() -> Iterator[str]:
    """A row for each error that the emulator knows."""
    yield row("error", "status", "its text is", "recordings at hand")
    yield "|---|---|---|---|"
    for name, refusal in REFUSALS.items():
        found = COUNTS["errors"].get(name, 0)
        yield row(f"`{name}`", str(refusal.status), refusal.evidence, str(found) if found else "**none**")


if __name__ == "__main__":
    raise SystemExit(main("docs/evidence.md", "evidence_table.py", content, sys.argv[1:]))
