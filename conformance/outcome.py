"""What a client made of a condition: what its user saw, and what the emulator's journal counted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from converse_emulator import Exchange


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of the client's script all but `requests` and `calls`."""

    text: str = ""
    tools: tuple[Mapping[str, Any], ...] = ()  # calls: {"name", "input"}
    stop: str = ""  # the stop reason in the client's own words; empty: it tells none
    usage: bool = False  # whether it tells tokens
    error: str = ""  # CLASS: TEXT; empty: there was none
    requests: int = 0
    calls: int = 0  # requests told apart by `amz-sdk-invocation-id`; 0: the client sends none

    def as_table(self) -> dict[str, Any]:
        """What is to be said about it: the members that are not empty."""
        return {name: value for name, value in asdict(self).items() if value}


def outcome_of_table(table: Mapping[str, Any]) -> Outcome:
    """The reverse of `as_table`."""
    return Outcome(**{**table, "tools": tuple(table.get("tools", ()))})


def outcome_of(seen: Mapping[str, Any], exchanges: Sequence[Exchange]) -> Outcome:
    """From the line of a script and the exchanges of its session."""
    return Outcome(
        text=seen["text"],
        tools=tuple(seen["tools"]),
        stop=seen["stop"] or "",
        usage=seen["usage"] is not None,
        error=f"{seen['error_class']}: {_lasting(seen['error_text'])}" if seen["error_class"] else "",
        requests=len(exchanges),
        calls=len({exchange.invocation_id for exchange in exchanges} - {None}),
    )


def differences(got: Outcome, expected: Outcome) -> list[str]:
    """A line for each member that is not as expected.

    Of a stream that broke, a client may lose text that it had received and not given out yet: how much
    depends on how the bytes came, so that less text than expected is no difference there.
    """
    if got.error and expected.text.startswith(got.text):
        got = replace(got, text=expected.text)
    pairs = ((field.name, getattr(got, field.name), getattr(expected, field.name)) for field in fields(got))
    return [f"{name} is {now!r}, expected {then!r}" for name, now, then in pairs if now != then]


# What differs from run to run in the text of an error, and what stands for it.
_PASSING: Sequence[tuple[str, str]] = (
    (r" Traceback \(most recent call last\):.*", ""),
    (r"https?://127\.0\.0\.1:\d+[^\s'\",)]*", "URL"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"port=\d+", "port=PORT"),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT", "DATE"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"0x[0-9a-f]+", "0xN"),
    (r"(?<![-\w])\d{5,}", "N"),
)
_LONGEST = 300  # characters


def _lasting(text: str) -> str:
    """The beginning of a text on one line, without what differs from run to run."""
    line = " ".join(text.split())
    for pattern, instead in _PASSING:
        line = re.sub(pattern, instead, line)
    return line[:_LONGEST]
