"""Strings for JSON Schema: of a format, of a pattern, of a length."""

import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from re import _parser  # type: ignore[attr-defined]  # nothing public gives the tree of a pattern
from typing import Any
from uuid import UUID

from converse_emulator.answering.schema_check import UnsupportedSchema, searching
from converse_emulator.language.scenario import Json

_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "island", "juniper")
_LETTERS = string.ascii_lowercase
_PLAIN = string.ascii_letters + string.digits
_CHARACTERS = _PLAIN + " -_.,:;!?/@#"
_TRIES = 30
_parse: Callable[[str], Any] = _parser.parse


def some_string(plain: Mapping[str, Json], rng: Random) -> str:
    """A string for a plain schema, of its `pattern` and lengths, and of its `format` where they allow."""
    least, most = plain.get("minLength", 0), plain.get("maxLength")
    if most is not None and most < least:
        raise UnsupportedSchema(f"a string of at least {least} and at most {most} characters")
    if "pattern" in plain:
        return _matching(plain["pattern"], least, most, rng)
    made = _FORMATS[plain["format"]](rng) if plain.get("format") in _FORMATS else _words(rng)
    return _fitted(made, least, most, rng)


def _words(rng: Random) -> str:
    return " ".join(rng.sample(_WORDS, rng.randint(1, 3)))


def _fitted(text: str, least: int, most: int | None, rng: Random) -> str:
    while len(text) < least:
        text += f" {rng.choice(_WORDS)}"
    return text[:most]


def _matching(pattern: str, least: int, most: int | None, rng: Random) -> str:
    compiled = searching(pattern)
    tree = _parse(pattern)
    times = None
    for attempt in range(_TRIES):
        made = "".join(_Writer(rng, times).write(tree))
        if attempt >= _TRIES // 2:  # chance did not hit the length: repeat as often as it asks for
            times = (times or 0) + max(0, least - len(made)) - max(0, len(made) - (most or len(made)))
        for candidate in (made, _fitted(made, least, None, rng)):
            fits = least <= len(candidate) and (most is None or len(candidate) <= most)
            if fits and compiled.search(candidate):
                return candidate
    raise UnsupportedSchema(f"the pattern {pattern!r}: no string was found for it")


class _Writer:
    """Writes a string along the tree of a pattern; look-arounds are left to the check afterwards.

    `times`: how often to repeat where the pattern leaves it open; None: a few times more than needed.
    """

    def __init__(self, rng: Random, times: int | None) -> None:
        self._rng = rng
        self._times = times
        self._groups: dict[int, str] = {}

    def write(self, tree: Any) -> Iterator[str]:
        for operator, argument in tree:
            yield from self._write(str(operator), argument)

    def _write(self, operator: str, argument: Any) -> Iterator[str]:
        match operator, argument:
            case "LITERAL", code:
                yield chr(code)
            case "NOT_LITERAL", code:
                yield self._rng.choice([one for one in _CHARACTERS if one != chr(code)])
            case "ANY", _:
                yield self._rng.choice(_LETTERS)
            case "IN", items:
                yield self._one_of([(str(kind), value) for kind, value in items])
            case "BRANCH", (_, branches):
                yield from self.write(self._rng.choice(branches))
            case "SUBPATTERN", (group, *_, tree):
                self._groups[group] = "".join(self.write(tree))
                yield self._groups[group]
            case "ATOMIC_GROUP", tree:
                yield from self.write(tree)
            case "GROUPREF", group:
                yield self._groups.get(group, "")
            case (("MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT"), (least, most, tree)):
                more = least + self._rng.randint(0, 2) if self._times is None else self._times
                for _ in range(max(least, min(int(most), more))):
                    yield from self.write(tree)

    def _one_of(self, items: Sequence[tuple[str, Any]]) -> str:
        if items[0][0] == "NEGATE":
            others = [one for one in _CHARACTERS if not any(_has(item, one) for item in items[1:])]
            return self._rng.choice(others or [""])
        match self._rng.choice(items):
            case "LITERAL", code:
                return chr(code)
            case "RANGE", (low, high):
                return chr(self._rng.randint(low, high))
            case item:
                return self._rng.choice([one for one in _CHARACTERS if _has(item, one)] or [""])


def _has(item: tuple[str, Any], character: str) -> bool:
    """Whether an item of a character class holds `character`."""
    kind, value = item
    if kind == "LITERAL":
        return bool(ord(character) == value)
    if kind == "RANGE":
        return bool(value[0] <= ord(character) <= value[1])
    category = str(value)
    known = {
        "DIGIT": character.isdigit(),
        "SPACE": character.isspace(),
        "WORD": character.isalnum() or character == "_",
    }
    return known[category.rsplit("_", 1)[-1]] != ("_NOT_" in category)


def _moment(rng: Random) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(365 * 86_400))


def _host(rng: Random) -> str:
    return f"{rng.choice(_WORDS)}.example.com"


_FORMATS: Mapping[str, Callable[[Random], str]] = {
    "date-time": lambda rng: _moment(rng).isoformat().replace("+00:00", "Z"),
    "date": lambda rng: _moment(rng).date().isoformat(),
    "time": lambda rng: f"{_moment(rng).time().isoformat()}Z",
    "duration": lambda rng: f"PT{rng.randint(1, 59)}M",
    "email": lambda rng: f"{rng.choice(_WORDS)}@{_host(rng)}",
    "hostname": _host,
    "ipv4": lambda rng: f"192.0.2.{rng.randint(1, 254)}",
    "ipv6": lambda rng: f"2001:db8::{rng.randint(1, 0xFFFF):x}",
    "uri": lambda rng: f"https://{_host(rng)}/{rng.choice(_WORDS)}",
    "url": lambda rng: f"https://{_host(rng)}/{rng.choice(_WORDS)}",
    "uuid": lambda rng: str(UUID(int=rng.getrandbits(128), version=4)),
}
