"""Places as they are written: `at` a frame, a byte, a moment or a fraction, or `after` a frame."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast, get_args

from converse_emulator.language import arguments as arg
from converse_emulator.language import faults as fa
from converse_emulator.language import scenario as sc
from converse_emulator.language.forms import Form, Made, OneOf, Word
from converse_emulator.language.records import Field, Record
from converse_emulator.shapes import service

KINDS = ("text", "reasoning", "tool_use", "tool_result", "citation", "image", "bytes", "exception")
WAYS = ("event", "block", "frame", "byte", "time", "fraction")  # to say where


def _events() -> tuple[str, ...]:
    return (*service.event_types(), *KINDS)


def _place(**members: Any) -> fa.Place:
    ways = [way for way in WAYS if way in members and way != "block"]
    if len(ways) > 1 or (
        "block" in members and not {"event", *members}.isdisjoint({"frame", "byte", "time"})
    ):
        raise ValueError(f"{' and '.join(ways)} are different places")
    if not ways and "block" not in members:
        raise ValueError("says no place: give one of " + ", ".join(WAYS))
    if "number" in members and not {"event", "block"}.intersection(members):
        raise ValueError("`number` counts events: give `event`, or `block`")
    if members.get("number") == 0 or members.get("frame") == 0:
        raise ValueError("numbers count from 1, or from the end with -1")
    if "inside" in members and not {"event", "block", "frame"}.intersection(members):
        raise ValueError("`inside` is inside a frame: give `event`, `block` or `frame`")
    return fa.Place(**members)


_NUMBER = arg.whole("a whole number, from the end with -1, -2, …", -100_000)
DEPTH: Form[fa.Depth] = OneOf((cast("Form[fa.Depth]", Word(lambda: get_args(fa.FramePart))), arg.CUT))
_RECORD = Record(
    _place,
    {
        "event": Field(
            Word(_events), "The type of an event, or what a delta brings; or `exception`, `bytes`."
        ),
        "number": Field(_NUMBER, "The n-th of those, from 1; -1 is the last one. Default: 1."),
        "block": Field(
            OneOf((arg.whole("the index of a content block", 0), arg.NAME)),
            "In this content block: its index, or the name of its tool.",
        ),
        "frame": Field(_NUMBER, "The n-th frame of the response, from 1; -1 is the last one."),
        "inside": Field(DEPTH, "In the middle of that frame: so many bytes or such a part into it."),
        "byte": Field(arg.whole("a number of bytes", 0), "After so many bytes of the body."),
        "time": Field(arg.LENGTH, "So long after the request."),
        "fraction": Field(arg.FRACTION, "When this part of the frames has come."),
    },
)
PLACE: Form[fa.Place] = OneOf((Made(Word(_events), fa.Place), _RECORD))
PLACES: Mapping[str, Field] = {
    "at": Field(PLACE, "Where it happens: on that frame, or just before it."),
    "after": Field(Made(PLACE, lambda place: replace(place, after=True)), "Right after that frame."),
}

_MIDDLE = sc.Finish | sc.Hangup | sc.Reset | sc.Wait  # what can happen in the middle of a frame


def misplaced(step: sc.Step, place: fa.Place) -> str | None:
    """Why the step cannot be there; None: it can."""
    if isinstance(step, fa.Trickle) and step.what == "interim":
        return "interim responses come before the head, and so before every place"
    if isinstance(step, fa.FrameFault):
        if isinstance(step, fa.Tear) and step.head:
            return "the head has its place already"
        if place.after or place.inside is not None or place.byte is not None:
            return "it befalls a frame: `at` an event, a frame, a time or a fraction"
    if place.after and (place.inside is not None or place.byte is not None or place.time is not None):
        return "`after` is behind a whole frame"
    if (place.inside is not None or place.byte is not None) and not isinstance(step, _MIDDLE | fa.FrameFault):
        return "in the middle of a frame there can be only wait, finish, hangup and reset"
    return None
