"""The report as a picture: what was reached of each target, and the curves, on logarithmic scales."""

from collections.abc import Sequence
from html import escape
from math import log10

from benchmarks.results import Report, Row

WIDTH, LEFT, LINE, CURVE = 900, 430, 22, 150
COLOURS = {"MISSED": "#c0392b", "reached": "#2e86c1", "stretch": "#1e8449"}


def svg(report: Report, title: str) -> str:
    """One document: bars of how far beyond (right) or short of (left) its target each figure is."""
    rows = [row for row in report.rows if row.reached and row.target]
    height = 60 + LINE * len(rows) + (CURVE + 40) * len(report.curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<text x="10" y="22" font-size="15">{escape(title)}</text>',
        f'<line x1="{_x(1)}" y1="35" x2="{_x(1)}" y2="{45 + LINE * len(rows)}" stroke="#888"/>',
    ]
    for number, row in enumerate(rows):
        parts += _bar(row, 50 + LINE * number)
    top = 60 + LINE * len(rows)
    for number, (name, lines) in enumerate(report.curves.items()):
        for points in lines.values():
            parts += _curve(name, points, top + number * (CURVE + 40))
    return "\n".join([*parts, "</svg>\n"])


def _x(times: float) -> float:
    """Where so many times the target is: a tenth to ten times."""
    return LEFT + (WIDTH - LEFT - 90) * (log10(min(10.0, max(0.1, times))) + 1) / 2


def _bar(row: Row, y: float) -> list[str]:
    assert row.reached is not None
    assert row.target is not None
    times = row.target / row.reached if row.at_most else row.reached / row.target
    left, right = sorted((_x(1), _x(times)))
    fill = COLOURS[row.verdict]
    return [
        f'<text x="10" y="{y + 5}">{escape(row.what)}</text>',
        f'<rect x="{left:.1f}" y="{y - 7}" height="14" fill="{fill}" width="{max(1.0, right - left):.1f}"/>',
        f'<text x="{WIDTH - 80}" y="{y + 5}">{row.reached:.3g}{escape(row.unit)}</text>',
    ]


def _curve(name: str, points: Sequence[tuple[float, float]], top: float) -> list[str]:
    """Both axes are logarithmic; the dashes are in proportion to the first point."""
    least_x, most_x = points[0][0], points[-1][0]
    ideal = [(x, points[0][1] * x / least_x) for x in (least_x, most_x)]
    values = [y for _, y in [*points, *ideal]]
    span_x = max(1e-9, log10(most_x / least_x))
    span_y = max(1e-9, log10(max(values) / min(values)))

    def at(point: tuple[float, float]) -> str:
        x = 60 + (WIDTH - 120) * log10(point[0] / least_x) / span_x
        return f"{x:.1f},{top + CURVE - CURVE * log10(point[1] / min(values)) / span_y:.1f}"

    labels = [
        f'<text x="{at(point).split(",")[0]}" y="{top + CURVE + 14}" text-anchor="middle">'
        f"{point[0]:g}: {point[1]:.3g}</text>"
        for point in points
    ]
    return [
        f'<text x="10" y="{top + 10}">{escape(name)}</text>',
        f'<polyline points="{" ".join(map(at, points))}" fill="none" stroke="#2e86c1" stroke-width="2"/>',
        f'<polyline points="{" ".join(map(at, ideal))}" fill="none" stroke="#aaa" stroke-dasharray="4"/>',
        *labels,
    ]
