"""A pause after speech ends a turn; loudness and length decide, and how the audio is cut does not."""

from array import array
from itertools import pairwise

import pytest
from converse_emulator.dialogue.listener import LOUD, PAUSE, Listener
from hypothesis import given
from hypothesis import strategies as st

RATE = 16_000


def sound(seconds: float, level: int) -> bytes:
    return array("h", [level] * round(seconds * RATE)).tobytes()


QUIET = sound(PAUSE, LOUD - 1)
SPEECH = sound(0.5, -LOUD)


def test_silence_ends_no_turn() -> None:
    listener = Listener(RATE)
    assert not any(listener.hear(QUIET) for _ in range(5))
    assert listener.spoken == 0


def test_a_pause_after_speech_ends_the_turn() -> None:
    listener = Listener(RATE)
    assert not listener.hear(SPEECH)
    assert not listener.hear(sound(PAUSE / 2, 0))
    assert listener.hear(sound(PAUSE / 2, 0))
    assert listener.spoken == pytest.approx(0.5)


def test_a_short_pause_is_part_of_the_speech() -> None:
    listener = Listener(RATE)
    assert not listener.hear(SPEECH + sound(PAUSE / 2, 0) + SPEECH)
    assert listener.spoken == pytest.approx(1.0 + PAUSE / 2)


def test_after_a_turn_another_begins() -> None:
    listener = Listener(RATE)
    assert listener.hear(SPEECH + QUIET)
    listener.forget()
    assert not listener.hear(QUIET)
    assert listener.hear(SPEECH + QUIET)


@given(st.lists(st.integers(0, 3000), max_size=6))
def test_the_cuts_do_not_matter(cuts: list[int]) -> None:
    audio = sound(0.05, LOUD) + sound(0.02, 0) + sound(0.01, LOUD)
    edges = sorted({0, *(min(cut, len(audio)) for cut in cuts), len(audio)})
    listener = Listener(RATE)
    for start, end in pairwise(edges):
        listener.hear(audio[start:end])
    assert listener.spoken == pytest.approx(0.08)
