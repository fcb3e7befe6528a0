"""The forms of `when` and `instead`: other replies for some of the requests."""

from dataclasses import replace
from typing import cast, get_args

from converse_emulator.language import arguments as arg
from converse_emulator.language.forms import Form, Value, Word
from converse_emulator.language.nodes import Atom
from converse_emulator.language.records import Field, ListOf, Record
from converse_emulator.language.scenario import Alternative, Reply
from converse_emulator.language.when import Schedule, Scope, When


def _share(value: Atom) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1
    return float(cast("float", value)) if known else None


SHARE = Value("a number above 0, at most 1", _share, {"type": "number", "exclusiveMinimum": 0, "maximum": 1})


def _when(during: tuple[float, float] | None = None, period: float | None = None, **members: object) -> When:
    when = When(**members)  # type: ignore[arg-type]  # by the table below
    if during is None:
        if period is not None:
            raise ValueError("`period` goes with `during`")
        if when == When(per=when.per):
            raise ValueError("says nothing: without a condition it would always hold")
        return when
    start, end = during
    if not start < end or (period is not None and end > period):
        raise ValueError("`during` begins before it ends, and ends within its `period`")
    return replace(when, during=Schedule(start, end, period))


WHEN = Record(
    _when,
    {
        "model": Field(arg.NAME, "A glob over the model id."),
        "session": Field(arg.NAME, "A glob over the session's name."),
        "from_call": Field(arg.whole("a whole number from 1", 1), "From the n-th call on."),
        "fraction": Field(SHARE, "This part of the calls, evenly spread: 0.25 is every fourth."),
        "attempts": Field(
            arg.whole("a whole number from 1", 1),
            "The first n requests of each call: an SDK's retries have one amz-sdk-invocation-id.",
        ),
        "during": Field(ListOf(arg.LENGTH, 2, exact=True), "From and to, counted from the first request."),
        "period": Field(arg.LENGTH, "`during` comes again after so long."),
        "probability": Field(SHARE, "Drawn for each request, from the seed."),
        "times": Field(arg.whole("a whole number from 1", 1), "At most so often."),
        "per": Field(
            cast("Form[Scope]", Word(lambda: get_args(Scope))), "Within what is counted. Default: session."
        ),
    },
)


def instead(reply: Form[Reply]) -> Form[tuple[Alternative, ...]]:
    """A list of conditions, each with the reply that is played where it is the first that holds."""
    return ListOf(
        Record(
            Alternative,
            {
                "when": Field(WHEN, "Every member that is given must agree.", required=True),
                "reply": Field(reply, "What is played then.", required=True),
            },
        ),
        at_least=1,
    )
