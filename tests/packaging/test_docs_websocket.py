"""The page about the WebSocket API: its example runs, its tables are those of the code."""

import argparse
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from converse_hops.websocket.limits import FRAME, MESSAGE, Limits, Unknowns
from converse_hops.websocket.options import add_options

PAGE = "docs/hops.md"
TEXT = (
    (Path(__file__).parents[2] / PAGE).read_text().partition("\n## WebSocket API\n")[2].partition("\n## ")[0]
)
Blocks = Callable[[str, str], list[str]]


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first column is this one."""
    (found,) = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in found.splitlines()]


def test_the_example_runs(blocks: Blocks) -> None:
    (example,) = [block for block in blocks(PAGE, "python") if "WebSocketApi" in block]
    exec(compile(example, PAGE, "exec"), {})


def test_the_limits() -> None:
    limits = Limits()
    assert [row[1] for row in table("limit")] == [
        f"{MESSAGE} bytes",
        f"{FRAME} bytes",
        f"{limits.integration:g} s",
        f"{limits.idle:g} s",
        f"{limits.lifetime:g} s",
        f"{limits.connections_per_second:g} a second",
        f"{limits.posts_per_second:g} a second, {limits.posts_at_once:g} at once",
    ]


def test_the_switches_of_what_is_unknown() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    told = {row[0].strip("`"): row[1] for row in table("switch")}
    assert len(told) == len(fields(Unknowns))
    for name, default in told.items():
        value = parser.get_default(name.removeprefix("--").replace("-", "_"))
        assert default == {False: "off"}.get(value, str(value))
