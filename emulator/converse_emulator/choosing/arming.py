"""What a test arms: a scenario by name or path, a reply, or several, optionally only for some requests.

Beside them may stand `match`, `instead` (other replies for some of the requests) and `wrap` (what is done to
whatever is played).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from converse_emulator.errors import Mistake, ScenarioError
from converse_emulator.language.library import SUFFIXES, Library
from converse_emulator.language.scenario import Scenario

KINDS = ("reply", "replies", "scenario")
BESIDE = (
    "match",
    "instead",
    "wrap",
)  # what may stand beside a scenario's name, and comes in place of the file's


def armed(library: Library, what: Mapping[str, object], where: str, *, files: bool = False) -> Scenario:
    """The scenario to arm: `what` has one of `reply`, `replies` and `scenario`, and may have more beside it.

    A reply is a string or a list of steps, `scenario` a name of the library or, with `files`, also a path.
    `where` is what errors call it. Raises `ScenarioError` and `UnknownScenario`.
    """
    from converse_emulator.language.loader import scenario_from  # the grammar takes 50 ms

    kinds = [kind for kind in KINDS if kind in what]
    if len(kinds) != 1:
        given = " and ".join(kinds) or "nothing to play"
        raise ScenarioError([Mistake(where, f"has {given}", f"one of {', '.join(KINDS)}")])
    if kinds != ["scenario"]:
        return scenario_from(dict(what), name=where, where=where)
    strangers = sorted(what.keys() - {"scenario", *BESIDE})
    if strangers:
        raise ScenarioError(
            [Mistake(where, f"{strangers[0]!r} does not go with 'scenario'", ", ".join(BESIDE))]
        )
    scenario = _named(library, what["scenario"], where, files)
    if not scenario.replies:
        raise ScenarioError(
            [
                Mistake(
                    where, f"{scenario.name} has no replies to be used up", "its name in the path or a header"
                )
            ]
        )
    beside = {name: what[name] for name in BESIDE if what.get(name) is not None}
    if not beside:
        return scenario
    read = scenario_from({"reply": "", **beside}, name=where, where=where)
    return replace(scenario, **{name: getattr(read, name) for name in beside})


def _named(library: Library, name: object, where: str, files: bool) -> Scenario:
    if files and (isinstance(name, Path) or str(name).endswith(SUFFIXES)):
        from converse_emulator.language.loader import load_file

        return load_file(str(name))
    if not isinstance(name, str):
        raise ScenarioError([Mistake(f"{where}.scenario", f"{name!r} is no name", "a scenario's name")])
    return library.get(name)
