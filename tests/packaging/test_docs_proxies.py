"""The part of the page about load balancers: its example runs, its clocks are those of the code."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path

from converse_hops import BufferingProxy, CloudFront, LoadBalancer
from converse_hops.hop import Hop
from converse_hops.registry import KINDS

from tests.hops.peers import Origin
from tests.hops.proxies.events import streaming

PAGE = "docs/hops.md"
TEXT = (Path(__file__).parents[2] / PAGE).read_text().partition("\n## A service behind a load balancer\n")[2]
HOPS: dict[str, type[Hop]] = {
    "load-balancer": LoadBalancer,
    "cloudfront": CloudFront,
    "buffering-proxy": BufferingProxy,
}
Blocks = Callable[[str, str], list[str]]


def test_the_example_runs(blocks: Blocks) -> None:
    (example,) = [block for block in blocks(PAGE, "python") if "BufferingProxy" in block]
    with Origin(streaming(0, 0.1, 0.1)) as handler:
        exec(compile(example, PAGE, "exec"), {"handler_url": handler.url})


def test_the_clocks() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| `(\w+)` \| (\w+) \|", TEXT, re.MULTILINE)
    assert len(rows) == 6
    for hop, clock, default in rows:
        value = inspect.signature(HOPS[hop]).parameters[clock].default
        assert default == ("none" if value is None else f"{value:g}")


def test_the_hops() -> None:
    told = set(re.findall(r"^\| `converse-emulator hop ([\w-]+)` \|", TEXT, re.MULTILINE))
    assert told == HOPS.keys()
    assert told <= {kind.name for kind in KINDS}
