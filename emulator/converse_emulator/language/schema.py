"""The JSON Schema of scenario files, for editors; made from the grammar, so it cannot say anything else.

It is wider than the loader: rules of order, and what the service model says of literal events, are not in it.
"""

from converse_emulator.language.documents import FILE
from converse_emulator.language.grammar import STEPS
from converse_emulator.language.rules import Applied, Bare, Rule
from converse_emulator.language.scenario import Json
from converse_emulator.language.step_form import ALONE, beside

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
    bare = [{"const": name, "description": STEPS[name].about} for name in ALONE]
    return {"anyOf": [*bare, *(_mapping(name, rule) for name, rule in STEPS.items() if _takes_mapping(rule))]}


def _takes_mapping(rule: Rule) -> bool:
    return isinstance(rule, Applied) or rule.placed


def _mapping(name: str, rule: Rule) -> dict[str, Json]:
    forms = [rule.form.schema()] if isinstance(rule, Applied) else []
    if name in ALONE:  # nothing, where a place stands beside it
        forms.append({"type": "null"})
    argument = forms[0] if len(forms) == 1 else {"anyOf": forms}
    schema: dict[str, Json] = {
        "type": "object",
        "description": rule.about,
        "properties": {
            name: {**argument, "description": rule.about},
            **{word: field.schema() for word, field in beside(rule).items()},
        },
        "required": [name],
        "additionalProperties": False,
    }
    return schema | ({"minProperties": 2} if isinstance(rule, Bare) else {})
