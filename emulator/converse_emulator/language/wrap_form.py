"""The form of a wrap: one text for headers and command lines.

    slow=2,jitter=20ms,bandwidth=2000,corrupt=any,cut=0.5,end=finish,throttle=0.2

The same members as a mapping where something is armed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from converse_emulator.errors import Mistake, ScenarioError
from converse_emulator.language import arguments as arg
from converse_emulator.language.conditions import SHARE
from converse_emulator.language.forms import Form, Gather, OneOf, Value, Word
from converse_emulator.language.nodes import Atom, Members, Node, Scalar
from converse_emulator.language.records import Field, Record
from converse_emulator.language.scenario import Alternative, Refuse
from converse_emulator.language.when import When
from converse_emulator.language.wrap import End, Wrap


def _positive(value: Atom) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9
    return float(cast("float", value)) if known else None


_POSITIVE = Value("a number above 0", _positive, {"type": "number", "exclusiveMinimum": 0})
_FRAME: Form[int | str] = OneOf((arg.whole("the number of a frame, from 1", 1), Word(lambda: ("any",))))

FIELDS: Mapping[str, Field] = {
    "slow": Field(_POSITIVE, "Every moment comes so many times as late: 2 is half as fast."),
    "jitter": Field(arg.LENGTH, "Each send comes up to so much later, drawn from the seed; the order stays."),
    "bandwidth": Field(_POSITIVE, "Bytes of the body that pass in a second."),
    "corrupt": Field(_FRAME, "The frame whose checksum is wrong; `any` is drawn from the seed."),
    "cut": Field(SHARE, "Only this part of the body's bytes is sent; then comes `end`."),
    "end": Field(cast("Form[End]", Word(lambda: get_args(End))), "After the cut. Default: hangup."),
    "throttle": Field(SHARE, "This part of the calls, evenly spread, is refused with ThrottlingException."),
}


def _wrap(**members: Any) -> Wrap:
    wrap = Wrap(**members)
    if wrap.cut is None and "end" in members:
        raise ValueError("`end` goes with `cut`")
    return wrap


_RECORD = Record(_wrap, FIELDS)


def read_wrap(text: str, place: str) -> Wrap:
    """The wrap that `name=value,name=value` says; `place` is what errors call it. Raises `ScenarioError`."""
    gather = Gather()
    nodes: dict[str, Node] = {}
    for each in text.split(","):
        name, found, value = (part.strip() for part in each.partition("="))
        if not found:
            gather.add(place, f"{each.strip()!r} is no name=value", ", ".join(FIELDS))
        elif name in nodes:
            gather.add(place, f"{name!r} is said twice", "each name once")
        nodes[name] = Scalar(_atom(value), f"{place}.{name}")
    gather.settle()
    return _RECORD.read(Members(nodes, place))


def _atom(text: str) -> Atom:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text


@dataclass(frozen=True, slots=True)
class _WrapForm(Form[Wrap]):
    """A mapping, or the same as text."""

    @property
    def wants(self) -> str:
        return f"{_RECORD.wants} or {'=…,'.join(FIELDS)}=…"

    def fits(self, node: Node) -> bool:
        return isinstance(node, Members) or (isinstance(node, Scalar) and isinstance(node.value, str))

    def read(self, node: Node) -> Wrap:
        match node:
            case Scalar(str() as text, place):
                return read_wrap(text, place)
            case Members():
                return _RECORD.read(node)
            case _:
                raise ScenarioError([Mistake(node.place, "is no wrap", self.wants)])

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, _RECORD.schema()]}


WRAP: Form[Wrap] = _WrapForm()


def throttling(wrap: Wrap) -> tuple[Alternative, ...]:
    """What comes in place of the replies of the calls that `wrap` throttles."""
    if wrap.throttle is None:
        return ()
    return (Alternative(When(fraction=wrap.throttle), (Refuse("ThrottlingException"),)),)
