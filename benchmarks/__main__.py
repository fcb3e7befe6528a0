"""`make bench`: measure everything, print a table, write `results/` (JSON, Markdown, an SVG chart).

    python -m benchmarks [--quick] [--only throughput,paced,starting,pieces,protocols,growth]

`--quick` runs one short round of each: enough to see that it works, too little to believe.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import growth, paced, pieces, protocols, starting, throughput
from benchmarks.chart import svg
from benchmarks.processes import CACHE, HERE
from benchmarks.results import Report, line, table, tell

ROUNDS = 5


def machine() -> str:
    """What it was measured on."""
    told = Path("/proc/cpuinfo").read_text().splitlines()
    names = (row.partition(":")[2].strip() for row in told if row.startswith("model name"))
    cpu = next(names, platform.processor())
    return f"{cpu}, Linux {platform.release()}, Python {platform.python_version()}"


def main() -> int:
    """Run what is asked for; returns 0 whatever was reached: these are figures, not tests."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="throughput,paced,starting,pieces,protocols,growth")
    options = parser.parse_args()
    if sys.platform != "linux":
        tell("The benchmarks read /proc and pin processes to cores: they need Linux.")
        return 0
    quick: bool = options.quick
    count = 1 if quick else options.rounds
    report = Report()
    parts: dict[str, Callable[[], None]] = {
        "throughput": lambda: throughput.run(report, count, 1 if quick else 3),
        "paced": lambda: paced.run(report, count, 2.0 if quick else 5.0),
        "starting": lambda: starting.run(report, count),
        "pieces": lambda: pieces.run(report, count),
        "protocols": lambda: protocols.run(report, count),
        "growth": lambda: growth.run(report, quick=quick),
    }
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in options.only.split(","):
        tell(f"{name}:")
        parts[name]()
    heading = f"{datetime.now(UTC):%Y-%m-%d} · {machine()} · medians of {count} rounds"
    print(f"\n{heading}\n\n{'figure':<66} {'reached':>10} {'target':>10} {'stretch':>8}")
    print("\n".join(line(row) for row in sorted(report.rows, key=lambda row: "/" not in row.what)))
    for what, why in report.skipped.items():
        print(f"skipped: {what}: {why}")
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    results.joinpath("results.json").write_text(json.dumps({"when": heading, **report.as_json()}, indent=1))
    results.joinpath("results.md").write_text(f"{heading}\n\n{table(report)}")
    results.joinpath("results.svg").write_text(svg(report, heading))
    print(f"\nwritten: {results}/results.json, .md and .svg")
    return 0


sys.exit(main())
