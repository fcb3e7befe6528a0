"""When an alternative holds: calls, attempts, shares, schedules, chances, and what they are counted in."""

from collections.abc import Iterable
from typing import Any

import pytest
from converse_emulator.choosing.occasions import MAX_CALLS, MAX_COUNTS, Occasions
from converse_emulator.choosing.request import Request
from converse_emulator.choosing.selection import Selector
from converse_emulator.errors import ScenarioError
from converse_emulator.language.library import Library
from converse_emulator.language.loader import load_text, scenario_from
from converse_emulator.language.scenario import Alternative, Text
from hypothesis import given
from hypothesis import strategies as st


def ask(call: str = "", text: str = "Hi", *, session: str = "s", model: str = "m") -> Request:
    headers = {"amz-sdk-invocation-id": call} if call else {}
    messages = [{"role": "user", "content": [{"text": text}]}]
    return Request("ConverseStream", model, headers, {"messages": messages}, session)


def alternatives(*whens: Any) -> tuple[Alternative, ...]:
    instead = [{"when": when, "reply": str(place)} for place, when in enumerate(whens)]
    return scenario_from({"reply": "usual", "instead": instead}, "test").instead


def places(
    when: Any, requests: Iterable[Request], moments: Iterable[float] = (), seed: str = "0"
) -> list[int]:
    """The numbers, from 1, of the requests for which the condition holds."""
    occasions, instead = Occasions(seed), alternatives(when)
    times = [*moments] or [0.0] * 1000
    asked = zip(requests, times, strict=False)
    return [
        number
        for number, (request, now) in enumerate(asked, 1)
        if occasions.alternative("x", instead, request, number, now) is not None
    ]


def calls(*names: str) -> list[Request]:
    return [ask(name) for name in names]


def test_the_first_attempts_of_each_call_whoever_comes_between() -> None:
    assert places({"attempts": 2}, calls("a", "b", "a", "a", "b", "b", "c")) == [1, 2, 3, 5, 7]


def test_without_an_invocation_id_the_same_messages_are_the_same_call() -> None:
    asked = [ask(text="Hi"), ask(text="Hi"), ask(text="And?"), ask(text="Hi")]
    assert places({"attempts": 1}, asked) == [1, 3]


def test_from_a_call_on_retries_do_not_count() -> None:
    assert places({"from_call": 2}, calls("a", "a", "b", "c")) == [3, 4]


def test_a_fraction_of_the_calls_is_spread_evenly_and_has_all_their_attempts() -> None:
    assert places({"fraction": 0.25}, calls(*"abcdefgh")) == [4, 8]
    assert places({"fraction": 0.5}, calls("a", "b", "b", "c")) == [2, 3]
    assert places({"fraction": 1}, calls("a", "b")) == [1, 2]


def test_so_many_times_and_no_more() -> None:
    assert places({"times": 2}, calls(*"abcd")) == [1, 2]
    assert places({"times": 1, "from_call": 3}, calls(*"abcd")) == [3]


def test_during_a_time_after_the_first_request() -> None:
    moments = [100, 109.9, 110, 124.9, 125, 171]
    assert places({"during": ["10s", "25s"]}, calls(*"abcdef"), moments) == [3, 4]
    assert places({"during": ["10s", "25s"], "period": "1min"}, calls(*"abcdef"), moments) == [3, 4, 6]


def test_a_probability_is_drawn_from_the_seed() -> None:
    asked = calls(*map(str, range(400)))
    drawn = places({"probability": 0.25}, asked)
    assert 60 <= len(drawn) <= 140
    assert drawn == places({"probability": 0.25}, asked) != places({"probability": 0.25}, asked, seed="1")


def test_only_for_some_models_and_sessions() -> None:
    asked = [ask(model="anthropic.x"), ask(model="amazon.y"), ask(session="other")]
    assert places({"model": "anthropic.*"}, asked) == [1]
    assert places({"session": "oth*"}, asked) == [3]


def test_within_what_is_counted() -> None:
    asked = [ask("a"), ask("b", model="n"), ask("c", session="t"), ask("d")]
    assert places({"times": 1}, asked) == [1, 3]
    assert places({"times": 1, "per": "model"}, asked) == [1, 2]
    assert places({"times": 1, "per": "all"}, asked) == [1]


def test_all_members_must_agree_and_the_first_that_holds_is_taken() -> None:
    occasions = Occasions("0")
    instead = alternatives({"attempts": 1, "from_call": 2}, {"attempts": 1})
    found = [
        occasions.alternative("x", instead, request, number, 0.0)
        for number, request in enumerate(calls("a", "a", "b", "b"), 1)
    ]
    assert found == [1, None, 0, None]


def test_a_session_can_be_forgotten() -> None:
    occasions, instead = Occasions("0"), alternatives({"times": 1})

    def asked() -> list[int | None]:
        return [occasions.alternative("x", instead, ask(session=s), 1, 0.0) for s in ("s", "t")]

    assert asked() == [0, 0]
    occasions.forget("s")
    assert asked() == [0, None]
    occasions.forget()
    assert asked() == [0, 0]


def test_what_is_remembered_is_bounded() -> None:
    occasions, instead = Occasions("0"), alternatives({"attempts": 1})
    for number in range(MAX_CALLS + 10):
        assert occasions.alternative("x", instead, ask(str(number)), number, 0.0) == 0
    assert occasions.alternative("x", instead, ask("0"), 1, 0.0) == 0  # long forgotten
    assert occasions.alternative("x", instead, ask("0"), 1, 0.0) is None
    for number in range(MAX_COUNTS):
        occasions.alternative("x", instead, ask("0", session=str(number)), 1, 0.0)
    assert occasions.alternative("x", instead, ask("0"), 1, 0.0) == 0


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 4))
def test_the_attempts_of_a_call_fail_first_and_then_never_again(names: list[str], attempts: int) -> None:
    held = places({"attempts": attempts}, calls(*names))
    for name in "abc":
        of_the_call = [number for number, each in enumerate(names, 1) if each == name]
        assert [number for number in of_the_call if number in held] == of_the_call[:attempts]


# ---------------------------------------------------------------------------------------- in a scenario


def test_an_alternative_uses_up_no_armed_reply() -> None:
    selector = Selector(Library())
    what = {"reply": "usual", "instead": [{"when": {"attempts": 1}, "reply": "throttled"}]}
    selector.arm("s", scenario_from(what, "play()"))
    first, second = selector.select(ask("a")), selector.select(ask("a"))
    assert (first.reply, first.instead) == ((Text("throttled"),), 1)
    assert (second.reply, second.instead) == ((Text("usual"),), None)
    assert selector.unconsumed("s") == []


def test_what_is_armed_twice_is_counted_twice() -> None:
    selector = Selector(Library())
    what = {"reply": "usual", "instead": [{"when": {"times": 1}, "reply": "once"}]}
    for _ in range(2):
        selector.arm("s", scenario_from(what, "play()"))
    replies = [selector.select(ask(name)).reply for name in "abcd"]
    assert replies == [(Text(text),) for text in ("once", "usual", "once", "usual")]


def test_without_replies_the_rest_is_answered_automatically(tmp_path: Any) -> None:
    (tmp_path / "bad.yaml").write_text(
        "title: T\nhandlers: H\nmatch: {model: m}\ninstead: [{when: {times: 1}, reply: once}]\n"
    )
    selector = Selector(Library([tmp_path]))
    first, second = selector.select(ask("a")), selector.select(ask("b"))
    assert (first.reply, first.chosen_by) == ((Text("once"),), "match")
    assert (second.reply, second.scenario and second.scenario.name) == (None, "bad")


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("{}", "says nothing"),
        ("{per: all}", "says nothing"),
        ("{period: 1min}", "`period` goes with `during`"),
        ("{during: [3s, 2s]}", "begins before it ends"),
        ("{during: [1s, 2min], period: 1min}", "ends within its `period`"),
        (
            "{fraction: 1.5}",
            "x.yaml:1:29: the number 1.5 is not allowed here; allowed: a number above 0, at most 1",
        ),
        ("{probability: 0}", "a number above 0"),
        ("{attempts: 0}", "a whole number from 1"),
        ("{atempts: 1}", "unknown member 'atempts' (did you mean 'attempts'?)"),
        ("{per: user}", "allowed: session, model, all"),
    ],
)
def test_a_condition_that_cannot_be_is_told(when: str, told: str) -> None:
    with pytest.raises(ScenarioError) as error:
        load_text(f"instead: [{{when: {when}, reply: x}}]\ntitle: T\nhandlers: H", name="x", source="x.yaml")
    assert told in str(error.value)
