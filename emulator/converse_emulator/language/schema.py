"""The JSON Schema of scenario files, for editors; made from the grammar, so it cannot say anything else.

It is wider than the loader: rules of order, and what the service model says of literal events, are not in it.
"""

from converse_emulator.language.documents import FILE
from converse_emulator.language.grammar import BARE, MODIFIERS, STEPS, Applied
from converse_emulator.language.scenario import Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Json]:
    """The schema of a scenario file, draft 2020-12."""
    return {
        "$schema": DIALECT,
        "title": "A scenario of converse-emulator",
        **FILE.schema(),
        "$defs": {"step": _step(), "reply": _reply()},
    }


def _reply() -> dict[str, Json]:
    return {
        "anyOf": [
            {"type": "string", "description": "The answer's text."},
            {"type": "array", "items": {"$ref": "#/$defs/step"}},
        ]
    }


def _step() -> dict[str, Json]:
    bare = [{"const": name, "description": STEPS[name].about} for name in BARE]
    applied = [_applied(name, rule) for name, rule in STEPS.items() if isinstance(rule, Applied)]
    return {"anyOf": [*bare, *applied]}


def _applied(name: str, rule: Applied) -> dict[str, Json]:
    modifiers = MODIFIERS if rule.modified else {}
    return {
        "type": "object",
        "description": rule.about,
        "properties": {
            name: {**rule.form.schema(), "description": rule.about},
            **{modifier: field.schema() for modifier, field in modifiers.items()},
        },
        "required": [name],
        "additionalProperties": False,
    }
