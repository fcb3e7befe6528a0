"""`additionalModelResponseFieldPaths`: members of the model's own response that Converse passes on.

The paths are JSON pointers into the native body or, for a stream, into the native events. What a path does
not find is left out.
"""

from collections.abc import Iterator, Mapping, Sequence

from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Json
from converse_emulator.scripting.performance import Emit, Moment, Performance

_ABSENT = object()


def with_response_fields(performance: Performance, request: Request) -> Performance:
    """The performance with the fields that the request asks for, unless the script gave some."""
    paths = request.body.get("additionalModelResponseFieldPaths")
    if not paths or request.native is not None:
        return performance
    from converse_emulator.native import documents

    found = fields(paths, documents(performance, request))
    if not found:
        return performance
    return performance._replace(moments=tuple(_passed_on(moment, found) for moment in performance.moments))


def _passed_on(moment: Moment, found: Mapping[str, Json]) -> Moment:
    match moment.what:
        case Emit("messageStop", body) as emit if "additionalModelResponseFields" not in body:
            return moment._replace(what=emit._replace(body={**body, "additionalModelResponseFields": found}))
        case _:
            return moment


def fields(paths: Sequence[str], found: Sequence[Json]) -> dict[str, Json]:
    """What the paths lead to in the first document that has it, each at the place where it stood."""
    fields: dict[str, Json] = {}
    for path in paths:
        steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
        value = next((value for value in _values(steps, found) if value is not _ABSENT), _ABSENT)
        if value is not _ABSENT:
            _put(fields, steps, value)
    return fields


def _values(steps: Sequence[str], found: Sequence[Json]) -> Iterator[Json]:
    for document in found:
        value = document
        for step in steps:
            value = _member(value, step)
        yield value


def _member(value: Json, step: str) -> Json:
    match value:
        case dict():
            return value.get(step, _ABSENT)
        case list() if step.isdecimal() and int(step) < len(value):
            return value[int(step)]
        case _:
            return _ABSENT


def _put(fields: dict[str, Json], steps: Sequence[str], value: Json) -> None:
    """The list that a step leads through becomes an object: what else is in it was not asked for."""
    for step in steps[:-1]:
        inner = fields.setdefault(step, {})
        fields = inner if isinstance(inner, dict) else {}
    if steps:
        fields[steps[-1]] = value
