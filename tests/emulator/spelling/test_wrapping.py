"""What a wrap does to a compiled reply, and the laws it keeps."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder, FrameError
from converse_emulator.language.scenario import Every, Reply, Text, Wait
from converse_emulator.language.wrap import Wrap
from converse_emulator.playing.acts import Beat, Finish, Hangup, Head, Hold, Reset, Send, Timeline
from converse_emulator.spelling.timeline import compile_reply
from converse_emulator.spelling.wrapping import wrapped
from converse_emulator.strategies import replies, timelines
from hypothesis import given, settings
from hypothesis import strategies as st

REPLY: Reply = (Wait(1.0), Every(0.5), Text("Your subscription renews on 1 March."))


def compiled(wrap: Wrap | None = None, operation: str = "ConverseStream", speed: float = 1.0) -> Timeline:
    request = Request(operation, "amazon.nova-micro-v1:0", {}, {"messages": []}, native={})
    return compile_reply(REPLY, request, seed="0", now=0.0, speed=speed, wrap=wrap)


def sends(timeline: Timeline) -> list[Beat]:
    return [beat for beat in timeline.beats if isinstance(beat.act, Send)]


def body(timeline: Timeline) -> bytes:
    return b"".join(beat.act.data for beat in sends(timeline) if isinstance(beat.act, Send))


def moments(timeline: Timeline) -> list[float]:
    return [beat.at for beat in timeline.beats]


PLAIN = compiled()


def test_slow_multiplies_every_moment() -> None:
    slow = compiled(Wrap(slow=2))
    assert moments(slow) == [2 * at for at in moments(PLAIN)]
    assert [beat.act for beat in slow.beats][1:] == [beat.act for beat in PLAIN.beats][1:]


def test_jitter_comes_from_the_seed_and_keeps_the_order() -> None:
    late = compiled(Wrap(jitter=0.4))
    pairs = list(zip(moments(PLAIN), moments(late), strict=True))
    assert all(planned <= at for planned, at in pairs)
    assert any(planned < at for planned, at in pairs)
    assert moments(late) == sorted(moments(late)) == moments(compiled(Wrap(jitter=0.4)))
    assert body(late) == body(PLAIN)


def test_at_a_bandwidth_every_byte_takes_its_time() -> None:
    rate = 100.0
    slow = compiled(Wrap(bandwidth=rate))
    assert body(slow) == body(PLAIN)
    assert all(len(beat.act.data) <= 5 for beat in sends(slow) if isinstance(beat.act, Send))
    assert slow.beats[-1].at >= 1.0 + len(body(PLAIN)) / rate
    assert sum(beat.act.tokens for beat in sends(slow) if isinstance(beat.act, Send)) == PLAIN.tokens


@pytest.mark.parametrize("which", [1, 3, "any"])
def test_one_frame_has_a_wrong_checksum(which: Any) -> None:
    broken = compiled(Wrap(corrupt=which))
    wrong = [number for number, beat in enumerate(sends(broken), 1) if beat.injected]
    assert len(wrong) == 1
    assert which in (*wrong, "any")
    with pytest.raises(FrameError):
        Decoder().feed(body(broken))


def test_a_frame_that_is_not_there_and_a_body_without_frames_stay_whole() -> None:
    assert body(compiled(Wrap(corrupt=99))) == body(PLAIN)
    assert body(compiled(Wrap(corrupt=1), "Converse")) == body(compiled(None, "Converse"))


@pytest.mark.parametrize(("end", "act"), [("hangup", Hangup()), ("finish", Finish()), ("reset", Reset())])
@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
def test_a_part_is_sent_and_then_the_end(operation: str, end: Any, act: Any) -> None:
    whole = body(compiled(None, operation))
    cut = compiled(Wrap(cut=0.5, end=end), operation)
    assert body(cut) == whole[: len(whole) // 2]
    assert (cut.beats[-1].act, cut.beats[-1].injected) == (act, True)
    assert sum(beat.act.tokens for beat in sends(cut) if isinstance(beat.act, Send)) < cut.tokens


def test_speed_divides_what_the_wrap_made() -> None:
    wrap = Wrap(slow=2, jitter=0.3, bandwidth=500)
    assert moments(compiled(wrap, speed=10)) == pytest.approx([at / 10 for at in moments(compiled(wrap))])


WRAPS = st.builds(
    Wrap,
    slow=st.none() | st.floats(0.01, 100),
    jitter=st.none() | st.floats(0, 2),
    bandwidth=st.none() | st.floats(50, 1e5),
    corrupt=st.none() | st.just("any") | st.integers(1, 30),
    cut=st.none() | st.floats(0.01, 1),
)


@given(WRAPS, st.sampled_from(["Converse", "ConverseStream", "InvokeModelWithResponseStream"]))
def test_whatever_the_wrap_the_timeline_is_one(wrap: Wrap, operation: str) -> None:
    timeline = compiled(wrap, operation)
    assert isinstance(timeline.beats[0].act, Head)
    keeps_order_and_ends_once(timeline.beats)
    plain = body(compiled(None, operation))
    assert len(body(timeline)) == int(len(plain) * (wrap.cut or 1.0))


@settings(deadline=None)
@given(WRAPS, timelines(replies(stalls=True)))
def test_faults_of_the_scenario_stay_under_a_wrap(wrap: Wrap, timeline: Timeline) -> None:
    keeps_order_and_ends_once(wrapped(timeline.beats, wrap, Random(0)))


def keeps_order_and_ends_once(beats: Sequence[Beat]) -> None:
    assert all(before.at <= after.at for before, after in pairwise(beats))
    ends = [isinstance(beat.act, Finish | Hangup | Reset | Hold) for beat in beats]
    assert ends == [False] * (len(ends) - 1) + [True]
