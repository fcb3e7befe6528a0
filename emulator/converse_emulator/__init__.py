"""A local Amazon Bedrock runtime that says, and fails, as it is told."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from converse_emulator.emulator import Emulator, Session, VerifyError
    from converse_emulator.errors import EmulatorError, Miss, ScenarioError, UnknownScenario
    from converse_emulator.language.library import Library
    from converse_emulator.language.scenario import Scenario
    from converse_emulator.playing.exchange import Exchange

__all__ = [
    "Emulator",
    "EmulatorError",
    "Exchange",
    "Library",
    "Miss",
    "Scenario",
    "ScenarioError",
    "Session",
    "UnknownScenario",
    "VerifyError",
]

_HOMES = {
    "emulator": ("Emulator", "Session", "VerifyError"),
    "errors": ("EmulatorError", "Miss", "ScenarioError", "UnknownScenario"),
    "playing.exchange": ("Exchange",),
    "language.library": ("Library",),
    "language.scenario": ("Scenario",),
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: `import converse_emulator` alone costs nothing."""
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
