"""A wrap as text and as a mapping, and what is told of one that cannot be."""

import pytest
from converse_emulator.errors import ScenarioError
from converse_emulator.language.loader import scenario_from
from converse_emulator.language.wrap import Wrap
from converse_emulator.language.wrap_form import read_wrap
from hypothesis import given
from hypothesis import strategies as st

EVERYTHING = "slow=2,jitter=20ms,bandwidth=2000,corrupt=any,cut=0.5,end=finish,throttle=0.2"


def test_a_text_and_a_mapping_say_the_same() -> None:
    wrap = read_wrap(EVERYTHING, "wrap")
    assert wrap == Wrap(2.0, 0.02, 2000.0, "any", 0.5, "finish", 0.2)
    mapping = {"slow": 2, "jitter": "20ms", "bandwidth": 2000, "corrupt": "any"}
    mapping |= {"cut": 0.5, "end": "finish", "throttle": 0.2}
    for said in (mapping, EVERYTHING):
        assert scenario_from({"reply": "Hi", "wrap": said}, "play()").wrap == wrap


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("slow", "header: 'slow' is no name=value; allowed: slow, jitter,"),
        ("slo=2", "unknown member 'slo' (did you mean 'slow'?); allowed: slow, jitter,"),
        ("slow=0", "header.slow: the number 0 is not allowed here; allowed: a number above 0"),
        ("slow=2,slow=3", "'slow' is said twice"),
        ("cut=1.5", "a number above 0, at most 1"),
        ("end=finish", "`end` goes with `cut`"),
        ("cut=0.5,end=explode", "allowed: hangup, finish, reset"),
        ("corrupt=0", "the number of a frame, from 1 | any"),
        ("jitter=soon", "a duration such as"),
        ("", "'' is no name=value"),
    ],
)
def test_a_wrap_that_cannot_be_is_told(text: str, told: str) -> None:
    with pytest.raises(ScenarioError) as error:
        read_wrap(text, "header")
    assert told in str(error.value)


@given(
    st.builds(
        Wrap,
        slow=st.none() | st.floats(0.01, 100),
        jitter=st.none() | st.floats(0, 100),
        bandwidth=st.none() | st.floats(1, 1e6),
        corrupt=st.none() | st.just("any") | st.integers(1, 9),
        cut=st.floats(0.01, 1),
        end=st.sampled_from(["hangup", "finish", "reset"]),
        throttle=st.none() | st.floats(0.01, 1),
    )
)
def test_its_text_is_read_back_as_itself(wrap: Wrap) -> None:
    assert read_wrap(wrap.as_text(), "wrap") == wrap
