"""Measurements, and the rows made of them: every server is measured once a round, ratios are within one."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

from benchmarks.peers import Skipped

Sample = Mapping[str, float]  # what one measurement tells, by name
Samples = dict[str, list[Sample | None]]  # of each server one a round; None: it failed in that round


@dataclass(frozen=True, slots=True)
class Row:
    """A figure and what it should be. `at_most`: smaller is better."""

    what: str
    reached: float | None  # None: it could not be measured, `note` says why
    target: float | None = None
    stretch: float | None = None
    at_most: bool = False
    unit: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.reached is None:
            return "skipped"
        if self.target is None:
            return ""
        if self.stretch is not None and self._holds(self.stretch):
            return "stretch"
        return "reached" if self._holds(self.target) else "MISSED"

    def _holds(self, bound: float) -> bool:
        assert self.reached is not None
        return self.reached <= bound if self.at_most else self.reached >= bound


@dataclass(slots=True)
class Report:
    """What a run has found: the rows, the measurements behind them, the curves."""

    rows: list[Row] = field(default_factory=list)
    samples: dict[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    curves: dict[str, Mapping[str, Sequence[tuple[float, float]]]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, *rows: Row) -> None:
        for row in rows:
            tell(f"  {line(row)}")
            self.rows.append(row)

    def keep(self, name: str, samples: Samples) -> None:
        """The medians of the measurements."""
        self.samples[name] = {server: medians(found) for server, found in samples.items() if any(found)}

    def as_json(self) -> dict[str, object]:
        rows = [asdict(row) | {"verdict": row.verdict} for row in self.rows]
        return {"rows": rows, "medians": self.samples, "curves": self.curves, "skipped": self.skipped}


def tell(what: str) -> None:
    """Say how it goes."""
    print(what, file=sys.stderr, flush=True)


def line(row: Row) -> str:
    """A row as a line of text."""
    reached = "-" if row.reached is None else f"{row.reached:.3g}{row.unit}"
    sign = "≤" if row.at_most else "≥"
    wanted = "" if row.target is None else f"{sign} {row.target:g}{row.unit}"
    stretch = "" if row.stretch is None else f"{row.stretch:g}{row.unit}"
    return f"{row.what:<66} {reached:>10} {wanted:>10} {stretch:>8}  {row.verdict} {row.note}".rstrip()


def table(report: Report) -> str:
    """The rows in Markdown."""
    lines = ["| figure | target | stretch | reached | |", "|---|---|---|---|---|"]
    for row in report.rows:
        sign = "≤" if row.at_most else "≥"
        wanted = [f"{sign} {bound:.3g}{row.unit}" if bound else "" for bound in (row.target, row.stretch)]
        reached = row.note if row.reached is None else f"{row.reached:.3g}{row.unit}"
        lines.append(f"| {row.what} | {' | '.join(wanted)} | {reached} | {row.verdict.lower()} |")
    return "\n".join(lines) + "\n"


def rounds(
    report: Report, name: str, count: int, servers: Sequence[str], measure: Callable[[str], Sample]
) -> Samples:
    """Measure every server once in each round; what cannot run is skipped, with its reason."""
    samples: Samples = {server: [] for server in servers}
    for number in range(count):
        for server in servers:
            if server in report.skipped:
                continue
            try:
                sample = measure(server)
            except Skipped as reason:
                report.skipped[server] = str(reason)
                tell(f"  {server} is skipped: {reason}")
                continue
            told = "  ".join(f"{key} {value:.4g}" for key, value in sample.items())
            tell(f"  {name} {number + 1}/{count} {server:<14} {told}")
            samples[server].append(sample)
    report.keep(name, samples)
    return samples


def ratio(samples: Samples, what: str, over: str, under: str) -> float | None:
    """The median of the rounds' ratios of one server's figure to another's."""
    pairs = zip(samples.get(over, ()), samples.get(under, ()), strict=False)
    found = [one[what] / other[what] for one, other in pairs if one and other and other[what]]
    return median(found) if found else None


def middle(samples: Samples, server: str, what: str) -> float | None:
    """The median of a server's figure."""
    found = [sample[what] for sample in samples.get(server, ()) if sample]
    return median(found) if found else None


def medians(found: Sequence[Sample | None]) -> dict[str, float]:
    present = [sample for sample in found if sample]
    return {name: median(sample[name] for sample in present) for name in present[0]}
