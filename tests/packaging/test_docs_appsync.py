"""The page about AppSync Events: its example runs, its tables are those of the code."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from converse_hops.appsync import options
from converse_hops.appsync.errors import KINDS
from converse_hops.appsync.limits import Limits

PAGE = "docs/hops.md"
TEXT = (Path(__file__).parents[2] / PAGE).read_text().partition("\n## AppSync Events\n")[2]
Blocks = Callable[[str, str], list[str]]


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first column is this one."""
    (found,) = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in found.splitlines()]


def test_the_example_runs(blocks: Blocks) -> None:
    (example,) = [block for block in blocks(PAGE, "python") if "AppSyncEvents" in block]
    exec(compile(example, PAGE, "exec"), {})


def test_the_quotas() -> None:
    limits = Limits()
    assert [row[1] for row in table("quota")] == [
        f"{limits.events_per_publish}",
        f"{limits.publish_bytes}",
        f"{limits.event_bytes}",
        f"{limits.publishes_per_second} a second",
        f"{limits.events_per_second} a second",
        f"{limits.subscriptions}",
        f"{limits.keep_alive:g} s",
        f"{limits.longest_connection:g} s",
    ]


def test_the_errors() -> None:
    told = [
        [f"`{kind.type}`", str(kind.status), kind.text.replace("{0}", "…"), kind.evidence]
        for kind in KINDS.values()
    ]
    assert table("error") == told


def test_the_switches_of_what_is_unknown() -> None:
    parser = argparse.ArgumentParser()
    options.add(parser)
    for names, default, _ in table("unknown"):
        for name in re.findall("`--([a-z-]+)`", names):
            assert str(parser.get_default(name.replace("-", "_"))) == default
