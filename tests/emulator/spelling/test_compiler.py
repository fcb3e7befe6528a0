"""The compiler that remembers: byte for byte what compiling anew makes, and bounded."""

from collections.abc import Sequence

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.http.content import Content
from converse_emulator.language.faults import Corrupt
from converse_emulator.language.scenario import Hangup, Json, Reply, Span, Text, ToolUse, Wait
from converse_emulator.playing.acts import Timeline, Whole
from converse_emulator.spelling import compiler as module
from converse_emulator.spelling.compiler import Compiler
from converse_emulator.spelling.timeline import compile_reply
from hypothesis import given
from hypothesis import strategies as st

HAIKU, SONNET = "anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-7-sonnet-20250219-v1:0"
REPLIES: Sequence[Reply] = (
    (Text("Your subscription renews on Friday."),),
    (Text("One two three four five.", every=0.02, split="words"),),
    (Text("Let me look."), ToolUse("lookup", {"order": 7})),
    (Wait(Span(0.1, 0.3)), Text("Late")),
    (Text("Broken"), Corrupt("message_crc"), Text("off"), Hangup()),
)
BODIES: Sequence[dict[str, Json]] = (
    {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
    {"messages": [{"role": "user", "content": [{"text": "Hi there, you"}]}]},
    {"messages": [], "inferenceConfig": {"maxTokens": 2}},
    {"messages": [], "inferenceConfig": {"stopSequences": ["three"]}},
    {"messages": [], "serviceTier": {"type": "flex"}},
    {"messages": [], "guardrailConfig": {"guardrailIdentifier": "g", "trace": "enabled"}},
    {"messages": [], "additionalModelResponseFieldPaths": ["/stop_sequence"]},
)


def asked(body: dict[str, Json], operation: str = "ConverseStream", model: str = HAIKU) -> Request:
    return Request(operation, model, {}, Content(body))


def unfolded(compiled: Timeline | Whole) -> Timeline:
    return compiled.unfolded() if isinstance(compiled, Whole) else compiled


@given(
    st.lists(
        st.tuples(
            st.sampled_from(REPLIES),
            st.sampled_from(BODIES),
            st.sampled_from(["Converse", "ConverseStream"]),
            st.sampled_from([HAIKU, SONNET]),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([1.0, 4.0]),
)
def test_it_makes_what_compiling_anew_makes(
    asks: list[tuple[Reply, dict[str, Json], str, str, int]], speed: float
) -> None:
    compiler = Compiler(speed)
    for reply, body, operation, model, seed in asks:
        request = asked(body, operation, model)
        compiled = compiler.compile(reply, request, seed=str(seed), now=1.5e9)
        anew = compile_reply(reply, request, seed=str(seed), now=1.5e9, speed=speed)
        assert unfolded(compiled) == anew


def test_a_whole_is_its_acts() -> None:
    compiler, request = Compiler(), asked(BODIES[0])
    for seed in range(3):
        whole = compiler.compile(REPLIES[0], request, seed=str(seed), now=0.0)
        assert isinstance(whole, Whole)
        timeline = whole.unfolded()
        assert whole.head == timeline.beats[0].act
        assert (whole.size, whole.tokens) == (timeline.size, timeline.tokens)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MOMENTS", 100)
    monkeypatch.setattr(module, "MOST_FRAMES", 300)
    compiler = Compiler()
    replies: list[Reply] = [(Text(f"Say {number}", split="characters"),) for number in range(40)]
    for seed in range(20):
        for reply in replies:
            compiler.compile(reply, asked(BODIES[0]), seed=str(seed), now=0.0)
        assert compiler._moments <= 100
        assert compiler._frames <= 300 + 10
    assert compiler._moments == sum(len(kept.performance.moments) for kept in compiler._kept.values())


def test_a_reply_that_is_longer_than_what_may_be_kept_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_MOMENTS", 3)
    compiler = Compiler()
    for _ in range(2):
        timeline = unfolded(compiler.compile(REPLIES[0], asked(BODIES[0]), seed="1", now=0.0))
        assert timeline == compile_reply(REPLIES[0], asked(BODIES[0]), seed="1", now=0.0)
    assert not compiler._kept
