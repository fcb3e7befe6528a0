"""What a test arms: a scenario by name or path, a reply, or several, optionally only for some requests."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from converse_emulator.errors import Mistake, ScenarioError
from converse_emulator.language.library import SUFFIXES, Library
from converse_emulator.language.loader import load_file, scenario_from
from converse_emulator.language.scenario import Scenario

KINDS = ("reply", "replies", "scenario")


def armed(library: Library, what: Mapping[str, object], where: str, *, files: bool = False) -> Scenario:
    """The scenario to arm: `what` has one of `reply`, `replies` and `scenario`, and may have `match`.

    A reply is a string or a list of steps, `scenario` a name of the library or, with `files`, also a path.
    `where` is what errors call it. Raises `ScenarioError` and `UnknownScenario`.
    """
    kinds = [kind for kind in KINDS if kind in what]
    if len(kinds) != 1:
        given = " and ".join(kinds) or "nothing to play"
        raise ScenarioError([Mistake(where, f"has {given}", f"one of {', '.join(KINDS)}")])
    if kinds != ["scenario"]:
        return scenario_from(dict(what), name=where, where=where)
    strangers = sorted(what.keys() - {"scenario", "match"})
    if strangers:
        raise ScenarioError([Mistake(where, f"{strangers[0]!r} does not go with 'scenario'", "'match'")])
    scenario = _named(library, what["scenario"], where, files)
    if what.get("match") is None:
        return scenario
    matched = scenario_from({"reply": "", "match": what["match"]}, name=where, where=where)
    return replace(scenario, match=matched.match)


def _named(library: Library, name: object, where: str, files: bool) -> Scenario:
    if files and (isinstance(name, Path) or str(name).endswith(SUFFIXES)):
        return load_file(str(name))
    if not isinstance(name, str):
        raise ScenarioError([Mistake(f"{where}.scenario", f"{name!r} is no name", "a scenario's name")])
    return library.get(name)
