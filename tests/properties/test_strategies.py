"""The strategies that users get: everything they draw can be played, and shrinks to the smallest failure."""

from itertools import pairwise

from converse_emulator import Emulator, strategies
from converse_emulator.language.fault_grammar import FAULTS
from converse_emulator.language.loader import load_text, scenario_from
from converse_emulator.language.scenario import Json
from converse_emulator.playing.acts import Finish, Hangup, Hold, Reset, Timeline
from converse_emulator.replay import as_yaml
from converse_emulator.strategies import faults, replies, scenarios, timelines
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

unhurried = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(replies(stalls=True))
def test_whatever_is_drawn_can_be_armed(steps: list[Json]) -> None:
    assert scenario_from({"reply": steps}, "play()").replies


@unhurried
@given(scenarios())
def test_a_scenario_can_be_kept_as_a_file(scenario: dict[str, Json]) -> None:
    kept = load_text(as_yaml(scenario), name="kept", source="kept.yaml")
    assert len(kept.replies) == len(scenario["replies"])


@unhurried
@given(timelines(replies(stalls=True)))
def test_a_timeline_ends_once_and_never_goes_back(timeline: Timeline) -> None:
    assert all(before.at <= after.at for before, after in pairwise(timeline.beats))
    ends = [isinstance(beat.act, Finish | Hangup | Reset | Hold) for beat in timeline.beats]
    assert ends == [False] * (len(ends) - 1) + [True]


def test_every_fault_of_the_language_is_drawn() -> None:
    drawn = {name for step in _every(strategies._HEADS) for name in step}
    drawn |= {*strategies._FAULTS, *strategies._STALLS}
    assert set(FAULTS) <= drawn


def _every(strategy: st.SearchStrategy[Json]) -> list[Json]:
    found: list[Json] = []

    @settings(max_examples=50, database=None)
    @given(strategy)
    def collect(step: Json) -> None:
        found.append(step)

    collect()
    return found


def test_without_stalls_nothing_waits_for_the_client() -> None:
    @unhurried
    @given(timelines())
    def check(timeline: Timeline) -> None:
        assert not isinstance(timeline.beats[-1].act, Hold)

    check()


def test_it_shrinks_to_one_step_and_one_fault_at_a_plain_place() -> None:
    smallest = find(replies(faulty=True), lambda steps: any("reset" in step for step in steps))
    assert smallest == [{"text": "Hi"}, {"reset": None, "at": {"frame": 1}}]
    deep = find(faults(), lambda step: "inside" in str(step.get("at")))
    assert len(deep["at"]) == 2


def test_a_naive_handler_fails_by_the_smallest_cut() -> None:
    """The README's property, over the loop that everyone writes first."""
    with Emulator() as bedrock:
        client = bedrock.client(retries={"total_max_attempts": 1}, read_timeout=20)
        messages = [{"role": "user", "content": [{"text": "Hi"}]}]

        def is_shown_as_whole(steps: list[Json]) -> bool:
            bedrock.reset()
            bedrock.play(steps)
            events = []
            try:
                stream = client.converse_stream(modelId="amazon.nova-micro-v1:0", messages=messages)["stream"]
                events = [name for event in stream for name in event]
            except Exception:
                return False  # the handler noticed
            return "messageStop" not in events

        def is_cut(steps: list[Json]) -> bool:
            return any("finish" in step for step in steps) and is_shown_as_whole(steps)

        cut = {"finish": None, "at": {"frame": 1}}
        settled = settings(max_examples=300, database=None, suppress_health_check=list(HealthCheck))
        assert find(replies(faulty=True), is_cut, settings=settled) == [{"text": "Hi"}, cut]
