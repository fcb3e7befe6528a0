"""The forms of the steps' arguments: names, durations, cuts, headers, literal events."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, get_args

from converse_emulator.errors import Mistake, ScenarioError
from converse_emulator.language import durations
from converse_emulator.language.forms import Form, Made, OneOf, Value, Word
from converse_emulator.language.nodes import Atom, Members, Node, Scalar
from converse_emulator.language.records import Anything, Field, ListOf, MapOf, Record
from converse_emulator.language.scenario import (
    FOREVER,
    Citation,
    Cutting,
    Duration,
    Event,
    Forever,
    Json,
    Span,
    Split,
    ToolResult,
)
from converse_emulator.shapes import service

# -------------------------------------------------------------------------------------------- scalars


def pattern(wants: str, expression: str) -> Value[str]:
    """A string that a regular expression matches from end to end."""

    def parse(value: Atom) -> str | None:
        return value if isinstance(value, str) and re.fullmatch(expression, value) else None

    return Value(wants, parse, {"type": "string", "pattern": expression})


def whole(wants: str, least: int, most: int | None = None) -> Value[int]:
    """A whole number from `least` to `most`; 3.0 is one, as everywhere in JSON."""

    def parse(value: Atom) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            return None
        return int(value) if least <= value and (most is None or value <= most) else None

    bounds = {"minimum": least} | ({} if most is None else {"maximum": most})
    return Value(wants, parse, {"type": "integer", **bounds})


def _fraction(value: Atom) -> float | None:
    return value if isinstance(value, float) and 0 < value < 1 else None


STRING = Value("a string", lambda value: value if isinstance(value, str) else None, {"type": "string"})
NAME = Value(
    "a string that is not empty",
    lambda value: value if isinstance(value, str) and value else None,
    {"type": "string", "minLength": 1},
)
GATE_NAME = pattern("a name of letters, digits, '.', '_' and '-'", r"^[A-Za-z0-9._-]+$")
FRACTION = Value(
    "a fraction between 0 and 1",
    _fraction,
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
)
CUT: Form[int | float] = OneOf((whole("a number of bytes", 0), FRACTION))
BASE64 = Made(
    pattern(
        "base64 in a string",
        r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    ),
    base64.b64decode,
)
HEADER_NAME = pattern("the name of an HTTP header", r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
HEADERS = MapOf(pattern("a string of printable ASCII characters", r"^[\t\x20-\x7e]*$"), HEADER_NAME)
OBJECT = Anything(mapping=True)
TEXT_OR_BASE64: Form[bytes] = OneOf(
    (
        Made(STRING, str.encode),
        Record(
            lambda base64: base64,
            {"base64": Field(BASE64, "The bytes, base64.", required=True)},
            tag="base64",
        ),
    )
)

# ------------------------------------------------------------------------------------- pace and pieces

LENGTH = Value(
    durations.WANTED,
    durations.seconds,
    {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": durations.LONGEST},
            {"type": "string", "pattern": durations.PATTERN},
        ]
    },
)


def _span(between: tuple[float, float]) -> Span:
    shortest, longest = between
    if shortest > longest:
        raise ValueError("the first duration of `between` is the shorter one")
    return Span(shortest, longest)


_SPAN = Record(
    _span, {"between": Field(ListOf(LENGTH, 2, exact=True), "Drawn at random from the seed.", required=True)}
)
DURATION: Form[Duration] = OneOf((LENGTH, _SPAN))
PATIENCE: Form[Duration | Forever] = OneOf(
    (Made(Word(lambda: ("forever",)), lambda _: FOREVER), LENGTH, _SPAN)
)
SPLIT: Form[Split] = OneOf(
    (cast("Form[Split]", Word(lambda: get_args(Cutting))), ListOf(STRING, at_least=1)),
)

# ----------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class EventForm(Form[Event]):
    """`{messageStop: {stopReason: end_turn}}`: one event of the service model, with its body."""

    @property
    def wants(self) -> str:
        return "a mapping of one event type to its body: " + ", ".join(service.event_types())

    def fits(self, node: Node) -> bool:
        return isinstance(node, Members)

    def read(self, node: Node) -> Event:
        if not isinstance(node, Members) or len(node.nodes) != 1:
            raise self.refuse(node)
        ((event_type, body),) = node.nodes.items()
        Word(service.event_types).read(Scalar(event_type, node.key_place(event_type)))
        event = Event(event_type, OBJECT.read(body))
        if found := service.event_violations(event_type, event.body):
            raise ScenarioError([Mistake(body.place, what) for what in found])
        return event

    def schema(self) -> dict[str, Json]:
        return {
            "type": "object",
            "properties": {event_type: {"type": "object"} for event_type in service.event_types()},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }


def _delta(name: str, said: Json) -> None:
    """Raises `ValueError` if the service model knows no such delta."""
    body = {"contentBlockIndex": 0, "delta": {name: said}}
    if found := service.event_violations("contentBlockDelta", body):
        raise ValueError("; ".join(found))


def citation_from(members: Mapping[str, Json]) -> Citation:
    """A citation, if the service model knows such members of one."""
    _delta("citation", members)
    return Citation(members)


CITATION = Made(OBJECT, citation_from)


def tool_result_from(
    content: Json, status: str | None = "success", id: str | None = None, type: str | None = None
) -> ToolResult:
    """A tool's result; a string is a block of text, anything else but a list one of JSON."""
    blocks = content if isinstance(content, list) else [{"text": content}]
    if not isinstance(content, str | list):
        blocks = [{"json": content}]
    _delta("toolResult", blocks)
    return ToolResult(tuple(blocks), status, id, type)


_COUNTED = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}


def _metadata(members: Mapping[str, Json]) -> Mapping[str, Json]:
    """The same, if the service model knows such members of the metadata event."""
    counted = {"usage": _COUNTED, "metrics": {"latencyMs": 0}}
    if found := service.event_violations("metadata", {**counted, **members}):
        raise ValueError("; ".join(found))
    return members


def _usage(members: Mapping[str, Json]) -> Mapping[str, Json]:
    """The same, if the service model knows such members of the usage."""
    _metadata({"usage": {**_COUNTED, **members}})
    return members


METADATA = Made(OBJECT, _metadata)
USAGE = Made(OBJECT, _usage)
