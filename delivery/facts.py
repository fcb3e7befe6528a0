"""What a run found out, as the JSON file has it and the page shows it. Times are seconds."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from delivery.rows import BY_NAME

FILE = Path(__file__).parents[1] / "tools" / "delivery.json"


@dataclass(frozen=True, slots=True)
class Lag:
    """How late something is: the middle one, and that which one in twenty exceeds."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Found:
    """One path. `first_byte` and `total` count from the moment at which the question left the browser to the
    first and to the last text; `setup` is what came before that: a handshake, a subscription. `scripted` is
    the part of `first_byte` that model and network were told to take. `wire` are the bytes that came to the
    browser, `text` those of the text in them. `lags` are those of the hops, by name.
    """

    path: str
    streams: bool
    held_by: str
    complete: bool
    first_byte: float
    scripted: float
    setup: float
    total: float
    wire: int
    text: int
    model_breaks: str
    handler_dies: str
    tool: str
    lags: Mapping[str, Lag]
    whole_way: Lag

    @property
    def added(self) -> float:
        """What handler and hops add to the first byte."""
        return self.first_byte - self.scripted

    @property
    def overhead(self) -> float:
        """Bytes on the wire for each byte of text, above the first."""
        return self.wire / self.text - 1


@dataclass(frozen=True, slots=True)
class Facts:
    """A whole run. `before` and `after` have first byte, total and longest wait of the article's example."""

    date: str
    machine: str
    paths: tuple[Found, ...]
    before: tuple[float, float, float]
    after: tuple[float, float, float]

    @property
    def wrong(self) -> list[str]:
        """What should not be so; empty if all holds."""
        problems = []
        for found in self.paths:
            fake = not BY_NAME[found.path].streams
            if not found.complete:
                problems.append(f"{found.path}: the text is not the model's")
            if found.streams is fake:
                problems.append(f"{found.path}: {'was not found out' if fake else 'does not stream'}")
            if fake and not found.held_by:
                problems.append(f"{found.path}: nobody knows what holds it")
        if not self.after[2] < self.before[2] / 2:
            problems.append(f"the wait fell from {self.before[2]:.1f} s to {self.after[2]:.1f} s only")
        return problems

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Facts":
        facts: dict[str, Any] = json.loads(text)
        paths = tuple(_found(each) for each in facts.pop("paths"))
        return cls(
            paths=paths,
            before=tuple(facts.pop("before")),
            after=tuple(facts.pop("after")),
            **facts,
        )


def _found(members: dict[str, Any]) -> Found:
    lags = {name: Lag(**lag) for name, lag in members["lags"].items()}
    rest = {one.name: members[one.name] for one in fields(Found) if one.name not in ("lags", "whole_way")}
    return Found(lags=lags, whole_way=Lag(**members["whole_way"]), **rest)
