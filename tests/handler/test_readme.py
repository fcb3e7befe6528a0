"""The handler's README tells the truth."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from converse_handler import Settings, sse, turn
from converse_handler.events import (
    BlockStarted,
    BlockStopped,
    Event,
    Failed,
    Finished,
    Started,
    Text,
    Thinking,
    ToolFinished,
    ToolStarted,
)
from converse_handler.failures import POLICIES
from converse_handler.metrics import Metrics

README = (Path(__file__).parents[2] / "reference_handler" / "README.md").read_text()


def table(heading: str) -> list[list[str]]:
    """The rows of the table with this heading, backticks taken off."""
    (found,) = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found.splitlines()]


def test_the_codes() -> None:
    told = {code.strip("`"): retryable == "yes" for code, retryable, _ in table("code")}
    assert told == {code: policy.retryable for code, policy in POLICIES.items()}


def test_the_settings() -> None:
    told = {name.strip("`"): default for name, default, _ in table("variable")}
    assert told == {f"CHAT_{member.name.upper()}": str(member.default) for member in fields(Settings)}


def test_the_events_and_their_members() -> None:
    told = {
        name.strip("`"): set(re.findall(r"`(\w+)`(?:,|:|$)", members)) & KNOWN
        for name, members, _ in table("event")
    }
    assert told == {
        str(body.pop("type")): set(body) for event in SAMPLES if (body := dict(sse.payload(event)))
    }
    assert {type(event) for event in SAMPLES} | {Thinking} == set(get_args(Event))


SAMPLES: list[Event] = [
    Started("msg_1"),
    BlockStarted(0, "text"),
    Text(0, "a"),
    BlockStopped(0),
    ToolStarted("t", "n", "l"),
    ToolFinished("t", "n", None),
    Finished("end_turn", False, None),
    Failed("throttled", "Busy.", True, False),
]
KNOWN = {member for event in SAMPLES for member in sse.payload(event)}


def test_the_stop_reasons() -> None:
    told = {name for row in table("stop reason") for name in re.findall(r"`(\w+)`", row[0])}
    assert told == set(turn.STOP_REASONS)


def test_the_metrics() -> None:
    told = {re.sub(r"{.*|_total|`", "", name) for name, _ in table("metric")}
    assert told == {metric.name for metric in Metrics().registry.collect()}


def test_the_files() -> None:
    told = {name for row in table("file") for name in re.findall(r"`(\w+\.py)`", row[0])}
    package = Path(__file__).parents[2] / "reference_handler" / "converse_handler"
    assert {path.name for path in package.glob("*.py")} - told == {
        "__init__.py",
        "__main__.py",
        "demo_tools.py",
    }
