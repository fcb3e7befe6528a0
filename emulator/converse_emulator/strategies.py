"""Hypothesis strategies for property tests over a handler: what a model may say, and how it may fail.

What they draw is what the YAML has, so a failing example can be played, or kept as a file, as it stands. It
shrinks to as few steps, as plain a fault and as early a place as still fail.

    @given(replies())
    def test_what_is_shown_was_said(reply): ...
"""

from collections.abc import Mapping
from typing import get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from converse_emulator.framing.damage import DAMAGES
from converse_emulator.http.refusals import REFUSALS
from converse_emulator.language.faults import FramePart
from converse_emulator.language.loader import scenario_from
from converse_emulator.language.scenario import Json
from converse_emulator.playing.acts import ErrorCode, Timeline
from converse_emulator.rehearsal import Run, example_request, timeline_of
from converse_emulator.shapes import service

Step = Json  # as the YAML has it: a mapping, or a bare word
Faults = Mapping[str, SearchStrategy[Step]]

_SENTENCES = ("Hi", "Your plan renews on 1 March.", "Café 🌍 日本", "data: x\n\nevent: y\n", "{}")


def texts() -> SearchStrategy[str]:
    """Texts of an answer, among them what trips a parser up."""
    return st.sampled_from(_SENTENCES) | st.text(min_size=1, max_size=20)


def content() -> SearchStrategy[Step]:
    """One step of content: text, reasoning, a tool call."""
    split = st.sampled_from(["usual", "characters", "words", "whole"])
    inputs = st.dictionaries(st.sampled_from(["id", "q"]), texts() | st.integers(0, 9), max_size=2)
    tool = st.fixed_dictionaries({"name": st.sampled_from(["lookup", "now"]), "input": inputs})
    return st.one_of(
        texts().map(lambda text: {"text": text}),
        st.fixed_dictionaries({"text": texts(), "split": split}),
        texts().map(lambda text: {"reasoning": text}),
        tool.map(lambda call: {"tool_use": call}),
    )


def pace(longest: float = 0.02) -> SearchStrategy[Step]:
    """One step of pace; no duration is longer than so many seconds."""
    seconds = st.sampled_from([0.0, longest / 4, longest])
    return seconds.map(lambda wait: {"wait": wait}) | seconds.map(lambda every: {"every": every})


def places(*, inside: bool = False) -> SearchStrategy[Step]:
    """Where something befalls the response, as `at` takes it; with `inside`, also in the middle of a frame.

    A response that has no such place is left as it is.
    """
    kinds = st.sampled_from([*service.event_types(), "text", "tool_use"])
    event = st.fixed_dictionaries({"event": kinds, "number": st.sampled_from([1, 2, 3, -1])})
    frame = st.sampled_from([1, 2, 3, 4, 5, -1]).map(lambda number: {"frame": number})
    fraction = st.sampled_from([0.1, 0.5, 0.9]).map(lambda part: {"fraction": part})
    whole = st.one_of(frame, event, fraction)
    if not inside:
        return whole
    depth = st.sampled_from([1, 17, 0.5, *get_args(FramePart)])
    deep = st.builds(lambda place, at: {**place, "inside": at}, frame | event, depth)
    return st.one_of(whole, deep, st.integers(0, 400).map(lambda count: {"byte": count}))


def faults(*, stalls: bool = False) -> SearchStrategy[Step]:
    """One fault with its place; with `stalls`, also those that end only when the client has had enough."""
    return st.one_of(list({**_FAULTS, **(_STALLS if stalls else {})}.values()))


def replies(*, faulty: bool | None = None, stalls: bool = False) -> SearchStrategy[list[Step]]:
    """The steps of a reply, for `play`: content in some pace and at most one fault.

    `faulty`: with a fault always, or never; None: now and then. `stalls` as in `faults`.
    """
    said = st.lists(content() | pace(), min_size=1, max_size=4).filter(_says_something)
    broken = st.one_of(
        st.builds(lambda steps, fault: [*steps, fault], said, faults(stalls=stalls)),
        st.builds(lambda steps, fault: [*steps, fault], said, _throws()),
        st.builds(lambda head, steps: [head, *steps], _HEADS, said),
        _refusals().map(lambda refusal: [refusal]),
    )
    if faulty is None:
        return said | broken
    return broken if faulty else said


def scenarios(*, stalls: bool = False) -> SearchStrategy[dict[str, Json]]:
    """Whole scenarios, as files and `POST /_emulator/arm` have them: a reply for each turn."""
    turns = st.lists(replies(stalls=stalls), min_size=1, max_size=3)
    return turns.map(lambda said: {"title": "Generated.", "handlers": "Keep every promise.", "replies": said})


def timelines(said: SearchStrategy[list[Step]] | None = None, seed: str = "0") -> SearchStrategy[Timeline]:
    """Replies compiled for a plain ConverseStream request: what is sent when, without a connection."""
    request = example_request(Run(seed))

    def compiled(steps: list[Step]) -> Timeline:
        (reply,) = scenario_from({"reply": steps}, "strategy").replies
        return timeline_of(reply, request, seed)

    return (replies() if said is None else said).map(compiled)


def _says_something(steps: list[Step]) -> bool:
    return any(not {"wait", "every"}.intersection(step) for step in steps)


def _placed(name: str, *arguments: Json, inside: bool = False) -> SearchStrategy[Step]:
    """The step with one of these arguments at some place."""
    argument = st.sampled_from(arguments or (None,))
    return st.builds(lambda value, at: {name: value, "at": at}, argument, places(inside=inside))


def _throws() -> SearchStrategy[Step]:
    names = st.sampled_from([*service.stream_exceptions(), "newException"])
    return names.map(lambda name: {"throw": {"exception": name}}) | st.just({"throw": {"error": "Failure"}})


def _refusals() -> SearchStrategy[Step]:
    return st.sampled_from([*REFUSALS]).map(lambda name: {"refuse": name})


_FAULTS: Faults = {
    "finish": _placed("finish", inside=True),
    "hangup": _placed("hangup", None, "connection", inside=True),
    "reset": _placed("reset", None, *ErrorCode.__members__, "connection", inside=True),
    "go_away": _placed("go_away", *ErrorCode.__members__),
    "corrupt": _placed("corrupt", *DAMAGES),
    "drop": _placed("drop"),
    "duplicate": _placed("duplicate"),
    "swap": _placed("swap"),
    "cut": _placed("cut", 0.5, 1, 17, *get_args(FramePart)),
    "tear": _placed("tear", 0.5, 1, 17),
    "unknown": _placed("unknown", {"newEvent": {"x": 1}}),
    "chunks": _placed("chunks", "frames", "code_points", 1, 7),
    "drip": _placed("drip", {"bytes": 10, "every": "1ms"}),
    "raw": _placed("raw", "\r\n", "zz\r\n"),
}
_STALLS: Faults = {
    "wait": st.builds(lambda at: {"wait": "forever", "at": at}, places(inside=True)),
    "trickle": _placed("trickle", {"send": "event", "every": "20ms"}, {"send": "byte", "every": "20ms"}),
}
_HEADS: SearchStrategy[Step] = st.sampled_from(
    [
        {"interim": 103},
        {"head": {"headers": {"Content-Type": "text/html"}}},
        {"head": {"length": "too_long"}},
        {"head": {"encoding": "gzip"}},
    ]
)
