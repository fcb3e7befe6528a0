"""The page about hops: its examples run, its tables are those of the code."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

import converse_hops
import pytest
from converse_hops import Function, FunctionUrl, HttpApi, RestApi, WebAdapter
from converse_hops.fronts import http_api, rest_api
from converse_hops.functions import function, replies, runtime_api
from converse_hops.functions.bandwidth import lambda_bandwidth
from converse_hops.hop import Hop
from converse_hops.registry import KINDS

PAGE = "docs/hops.md"
TEXT = (Path(__file__).parents[2] / PAGE).read_text()
Blocks = Callable[[str, str], list[str]]


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first column is this one."""
    (found,) = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in found.splitlines()]


def test_all_hops_are_told() -> None:
    told = [[cell.strip("`") for cell in row] for row in table("`converse-emulator hop`")]
    assert sorted(told) == sorted([kind.name, kind.load().__name__, kind.about] for kind in KINDS)
    assert {row[1] for row in told} | {"Hop"} == set(converse_hops.__all__)


@pytest.mark.parametrize("number", [0, 1, 2], ids=["stacked", "invoked", "adapted"])
def test_an_example_runs(number: int, blocks: Blocks) -> None:
    example = [block for block in blocks(PAGE, "python") if "Function(" in block][number]
    exec(compile(example, PAGE, "exec"), {})


@pytest.mark.parametrize("hop", [Function, FunctionUrl, RestApi, HttpApi, WebAdapter])
def test_its_switches_are_told(hop: type[Hop]) -> None:
    parser = argparse.ArgumentParser(add_help=False)
    hop.add_options(parser)
    options = {name for action in parser._actions for name in action.option_strings}
    assert {
        name for name in options - {"--name"} if f"`{name}" not in TEXT and f" {name} " not in TEXT
    } == set()


@pytest.mark.parametrize(
    ("heading", "hop"), [("switch of functions", Function), ("switch of function URLs", FunctionUrl)]
)
def test_the_defaults_of_switches(heading: str, hop: type[Hop]) -> None:
    parser = argparse.ArgumentParser()
    hop.add_options(parser)
    for name, default, _ in table(heading):
        value = parser.get_default(name.strip("`-").replace("-", "_"))
        assert default == {False: "off"}.get(value, f"{value:g}" if isinstance(value, float) else str(value))


def test_the_limits_of_functions() -> None:
    bucket = lambda_bandwidth()
    assert [row[1] for row in table("limit of functions")] == [
        f"{function.LONGEST:g} s",
        f"{runtime_api.MOST_BUFFERED} bytes",
        f"{replies.MOST_STREAMED} bytes",
        f"{runtime_api.MOST_BUFFERED} bytes",
        f"{bucket.burst} bytes, then {bucket.refill} in {bucket.tick * 1000:g} ms",
        "10",
    ]


def test_the_limits_of_rest_apis() -> None:
    bucket = rest_api.bandwidth()
    assert [row[1] for row in table("limit of REST APIs")] == [
        f"{rest_api.IDLE:g} s",
        f"{rest_api.IDLE_AT_THE_EDGE:g} s",
        f"{rest_api.LONGEST:g} s",
        f"{rest_api.INTEGRATION:g} s",
        f"{bucket.burst} bytes, then {bucket.refill} in {bucket.tick * 1000:g} ms",
    ]
    assert f"after {http_api.LONGEST:g} s nothing does" in TEXT
