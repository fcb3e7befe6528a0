"""The tables of a run: headings and rows of text, for the terminal and for the page alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from converse_contract.latency import Comparison, Timing

from delivery.facts import Facts, Lag
from delivery.rows import BY_NAME


@dataclass(frozen=True, slots=True)
class Table:
    """`right` are the columns, from 0, whose numbers stand to the right. Cells are Markdown."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[int] = frozenset()


def tables(facts: Facts) -> tuple[Table, ...]:
    """All of them."""
    return side_by_side(facts), what_shows(facts), what_is_added(facts), before_and_after(facts)


def side_by_side(facts: Facts) -> Table:
    """The article's table beside what was measured."""
    rows = [
        [
            each.path,
            BY_NAME[each.path].said[0],
            _ms(each.first_byte),
            _ms(each.total),
            f"{each.wire:,}",
            f"{each.overhead:.1f}",
            "streams" if each.streams else f"**not streaming**: held by {each.held_by}",
        ]
        for each in facts.paths
    ]
    headings = (
        "path",
        "first byte, article",
        "first byte",
        "last text",
        "bytes on the wire",
        "overhead per byte of text",
        "the gates say",
    )
    return Table("The same 500 tokens over six paths", headings, rows, frozenset({1, 2, 3, 4, 5}))


def what_shows(facts: Facts) -> Table:
    """Breaks and pauses, beside the article's words."""
    rows = []
    for each in facts.paths:
        _, _, recovery, tools = BY_NAME[each.path].said
        rows.append([each.path, recovery, each.model_breaks, each.handler_dies, tools, each.tool])
    headings = (
        "path",
        "a break, article",
        "Bedrock breaks off",
        "the handler's process dies",
        "tools, article",
        "a tool takes 1.5 s",
    )
    return Table("What the browser sees of a break, and of a tool", headings, rows)


def what_is_added(facts: Facts) -> Table:
    """Where the time goes that nobody scripted."""
    rows = [
        [
            each.path,
            _ms(each.scripted),
            _ms(each.added),
            _ms(each.setup),
            " · ".join(f"{name} {_lag(one)}" for name, one in each.lags.items()),
            _lag(each.whole_way) if each.streams else "-",
        ]
        for each in facts.paths
    ]
    headings = (
        "path",
        "first byte, scripted",
        "added to it",
        "before the question",
        "each piece in each hop, median and 95 %",
        "each text, whole way",
    )
    return Table("What handler and hops add", headings, rows, frozenset({1, 2, 3, 5}))


def before_and_after(facts: Facts) -> Table:
    """The article's worked example."""
    comparison = Comparison(Timing(*facts.before), Timing(*facts.after))
    rows = [[row.name, *map(_ms, row.seconds)] for row in comparison.rows()]
    headings = ("", "blocking", "blocking, article", "streaming", "streaming, article")
    return Table("The article's example, before and after", headings, rows, frozenset({1, 2, 3, 4}))


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def _lag(lag: Lag) -> str:
    return f"{lag.median * 1000:.1f} / {lag.p95 * 1000:.1f} ms"
