"""A case drawn on one time scale: the emulator's acts above, what arrived at the far end below."""

from collections.abc import Iterator, Sequence
from html import escape

from converse_contract.case import Evidence
from converse_contract.report.evidence import Moment, both_sides

LEFT, WIDTH, LANE = 92, 780, 30  # pixels: the labels' column, the time axis, the height of a lane
TICKS = 6  # about so many marks on the axis
STEPS = (1, 2, 5)

# How an event or act looks: a class of the style sheet. What is not named here is drawn as "other".
LOOKS = {
    "Text": "text",
    "Thinking": "thinking",
    "Heartbeat": "heartbeat",
    "ToolStarted": "tool",
    "ToolFinished": "tool",
    "Finished": "good",
    "Failed": "bad",
    "Unreadable": "bad",
    "send": "send",
    "gate": "gate",
    "miss": "bad",
    "end": "ended",
}
SMALL = {"other", "ended", "heartbeat"}  # drawn small, so that what matters shows behind them


def timeline(evidence: Evidence) -> str:
    """The drawing, an `svg` element. Hovering over a mark tells what it is."""
    lanes = sorted(both_sides(evidence), key=lambda lane: lane[0].startswith("received"))
    latest = max((moment.at for _, moments in lanes for moment in moments), default=0.0)
    scale = WIDTH / (latest or 1.0)
    height = LANE * len(lanes) + 24
    return "".join(
        [
            f'<svg class="timeline" viewBox="0 0 {LEFT + WIDTH + 20} {height}" role="img">',
            *_axis(latest, scale, height),
            *(part for row, lane in enumerate(lanes) for part in _lane(row, *lane, scale)),
            "</svg>",
        ]
    )


def step(latest: float) -> float:
    """The distance of two axis marks, in seconds: 1, 2 or 5 times a power of ten."""
    power = 1e-4
    while True:
        for digit in STEPS:
            if latest / (digit * power) <= TICKS:
                return digit * power
        power *= 10


def _axis(latest: float, scale: float, height: int) -> Iterator[str]:
    distance = step(latest)
    for number in range(int(latest / distance) + 1):
        x = LEFT + number * distance * scale
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - 18}"/>'
        yield f'<text class="tick" x="{x:.1f}" y="{height - 5}">{number * distance:g} s</text>'


def _lane(row: int, label: str, moments: Sequence[Moment], scale: float) -> Iterator[str]:
    middle = row * LANE + LANE // 2
    yield f'<text class="lane" x="{LEFT - 10}" y="{middle + 4}">{escape(label)}</text>'
    if moments:
        first, last = (LEFT + moment.at * scale for moment in (moments[0], moments[-1]))
        yield f'<line class="open" x1="{first:.1f}" x2="{last:.1f}" y1="{middle}" y2="{middle}"/>'
    for moment in moments:
        look = "injected" if moment.injected else LOOKS.get(moment.kind, "other")
        x, high = LEFT + moment.at * scale, 8 if look in SMALL else 16
        yield (
            f'<rect class="{look}" x="{x - 1.5:.1f}" y="{middle - high // 2}" width="3" height="{high}">'
            f"<title>{escape(str(moment))}</title></rect>"
        )
