"""What a row of the language's table says of a step."""

from dataclasses import dataclass

from converse_emulator.language.forms import Form
from converse_emulator.language.scenario import Step


@dataclass(frozen=True, slots=True)
class Bare:
    """A step without arguments: its name alone. `placed`: it may have a place."""

    about: str
    step: Step
    placed: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """A step with an argument. `alone`: what its name alone means; `modified`: MODIFIERS stand beside it."""

    about: str
    form: Form[Step]
    alone: Step | None = None
    placed: bool = False
    modified: bool = False


Rule = Bare | Applied
