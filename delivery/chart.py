"""A run drawn: for each path how long there is nothing to see, and how long text comes."""

from collections.abc import Iterator
from html import escape

from converse_contract.report.svg import step

from delivery.facts import Facts
from delivery.rows import BY_NAME

LEFT, WIDTH, LANE, TOP = 220, 620, 30, 34  # pixels: the labels' column, the time axis, a lane, the legend
ROOM = 50  # pixels that a bar needs to have its first byte written into it
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.small{font-size:11px;fill:#57606a}"
    ".white{fill:#ffffff}.lane{text-anchor:end}.tick{text-anchor:middle}.axis{stroke:#d0d7de}"
    ".wait{fill:#d0d7de}.text{fill:#2da44e}.fake{fill:#cf222e}.said{fill:none;stroke:#0969da;stroke-width:2}"
)


def chart(facts: Facts) -> str:
    """The drawing, an SVG document."""
    lanes = list(_lanes(facts))
    latest = max(end for _, _, end, _, _ in lanes)
    scale, height = WIDTH / latest, TOP + LANE * len(lanes) + 26
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 30} {height}" role="img">',
        "<title>The same answer over six paths: waiting, and text coming</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{LEFT + WIDTH + 30}" height="{height}" fill="#ffffff"/>',
        *_legend(),
        *_axis(latest, scale, height),
        *(part for number, lane in enumerate(lanes) for part in _lane(number, *lane, scale)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


Lane = tuple[str, float, float, float | None, str]  # label, first byte, end, the article's first byte, class


def _lanes(facts: Facts) -> Iterator[Lane]:
    for found in facts.paths:
        look = "text" if found.streams else "fake"
        yield found.path, found.first_byte, found.total, BY_NAME[found.path].article, look
    yield "example: blocking", facts.before[0], facts.before[1], 4.2, "fake"
    yield "example: streaming", facts.after[0], facts.after[1], 0.8, "text"


def _legend() -> Iterator[str]:
    marks = (("wait", "nothing to see"), ("text", "text comes"), ("fake", "all of it was there before"))
    for number, (look, says) in enumerate(marks):
        x = LEFT + number * 140
        yield f'<rect class="{look}" x="{x}" y="10" width="12" height="12" rx="2"/>'
        yield f'<text class="small" x="{x + 18}" y="20">{says}</text>'
    yield f'<circle class="said" cx="{LEFT + 466}" cy="16" r="5"/>'
    yield f'<text class="small" x="{LEFT + 478}" y="20">first byte in the article</text>'


def _axis(latest: float, scale: float, height: int) -> Iterator[str]:
    distance = step(latest)
    for number in range(int(latest / distance) + 1):
        x = LEFT + number * distance * scale
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - 22}"/>'
        yield f'<text class="tick small" x="{x:.1f}" y="{height - 8}">{number * distance:g} s</text>'


def _lane(
    number: int, label: str, first: float, end: float, said: float | None, look: str, scale: float
) -> Iterator[str]:
    y = TOP + number * LANE + 6
    begins, wide = LEFT + first * scale, max(3, (end - first) * scale)
    yield f'<text class="lane" x="{LEFT - 10}" y="{y + 14}">{escape(label)}</text>'
    yield f'<rect class="wait" x="{LEFT}" y="{y}" width="{first * scale:.1f}" height="18"/>'
    yield f'<rect class="{look}" x="{begins:.1f}" y="{y}" width="{wide:.1f}" height="18"/>'
    if wide > ROOM:
        yield f'<text class="small white" x="{begins + 6:.1f}" y="{y + 13}">{first:.2f} s</text>'
    else:
        yield f'<text class="small lane" x="{begins - 6:.1f}" y="{y + 13}">{first:.2f} s</text>'
    if said is not None:
        yield f'<circle class="said" cx="{LEFT + said * scale:.1f}" cy="{y + 9}" r="5"/>'
