"""Which reply a request gets, in the order of the ways to choose one, and the misses."""

import threading
from pathlib import Path
from typing import Any

import pytest
from converse_emulator.choosing import selection
from converse_emulator.choosing.request import Request
from converse_emulator.choosing.selection import Selector
from converse_emulator.errors import Miss, ScenarioError
from converse_emulator.language.library import Library
from converse_emulator.language.loader import scenario_from
from converse_emulator.language.scenario import Refuse, Reply, Text
from converse_fixtures import names as packaged

FILES = {
    "retry/twice.yaml": "replies: [[refuse: ThrottlingException], [reset], answer, next, [reset]]",
    "match/refund.yaml": "match: {prompt: refund}\nreplies: [first, second]",
    "match/refund-too.yaml": "match: {prompt: refund}\nreply: shadowed",
    "chat/two.yaml": "replies: [first, second]",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"title: T\nhandlers: H\n{text}\n")
    return tmp_path


@pytest.fixture
def selector(folder: Path) -> Selector:
    return Selector(Library([folder]))


def ask(*texts: str, session: str = "default", header: str = "", path: str | None = None) -> Request:
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": [{"text": text}]} for i, text in enumerate(texts)]
    return Request(
        "ConverseStream", "m", {"x-converse-scenario": header}, {"messages": messages}, session, path
    )


def said(reply: Reply | None) -> str:
    """The text of a reply's first step, or what else that is."""
    match reply:
        case None:
            return "automatic"
        case (Text(text), *_):
            return text
        case (Refuse(name), *_):
            return name
        case (other, *_):
            return type(other).__name__
    return "nothing"


def miss(selector: Selector, request: Request) -> str:
    with pytest.raises(Miss) as error:
        selector.select(request)
    return str(error.value)


def test_without_anything_else_the_answer_is_automatic(selector: Selector) -> None:
    chosen = selector.select(ask("Hi"))
    assert (chosen.scenario, chosen.reply, chosen.chosen_by, chosen.number) == (None, None, "automatic", 1)


def test_the_order_of_the_ways_to_choose(selector: Selector) -> None:
    selector.arm("default", scenario_from({"replies": ["armed", "armed"]}, "play()"))
    everything = ask("a refund [[scenario: chat/two]]", header="retry/twice", path="match/refund")
    by_header = ask("a refund [[scenario: chat/two]]", header="retry/twice")
    by_marker = ask("a refund [[scenario: chat/two]]")
    armed = ask("a refund")
    chosen = [selector.select(each) for each in (everything, by_header, by_marker, armed)]
    assert [each.chosen_by for each in chosen] == ["path", "header", "marker", "armed"]
    assert [said(each.reply) for each in chosen] == ["first", "ThrottlingException", "first", "armed"]
    assert [each.number for each in chosen] == [1, 2, 3, 4]
    matched = selector.select(ask("a refund", session="other"))
    assert (matched.chosen_by, matched.scenario and matched.scenario.name) == ("match", "match/refund")


def test_turns_count_from_the_message_with_the_marker(selector: Selector) -> None:
    assert said(selector.select(ask("[[scenario: chat/two]]")).reply) == "first"
    assert said(selector.select(ask("[[scenario: chat/two]]", "first", "and?")).reply) == "second"
    assert said(selector.select(ask("Hi", "Hello", "[[scenario: chat/two]]")).reply) == "first"
    assert said(selector.select(ask("Hi", "Hello", "so?", header="chat/two")).reply) == "second"
    assert said(selector.select(ask("Hi", "Hello", "a refund")).reply) == "second"


def test_retries_walk_through_the_slot_and_turns_do_not(selector: Selector) -> None:
    first, second = ask("Hi", path="retry/twice"), ask("Hi", "answer", "and?", path="retry/twice")
    last = ask("Hi", "answer", "and?", "next", "go on", path="retry/twice")
    walk = [said(selector.select(first).reply) for _ in range(4)]
    assert walk == ["ThrottlingException", "Reset", "answer", "ThrottlingException"]
    assert [said(selector.select(second).reply) for _ in range(2)] == ["next", "next"]
    assert [said(selector.select(last).reply) for _ in range(2)] == ["Reset", "Reset"]


def test_armed_replies_are_used_up_in_order(selector: Selector) -> None:
    selector.arm("default", scenario_from({"replies": ["one", "two"]}, "play(1)"))
    selector.arm("default", scenario_from("three", "play(2)"))
    assert selector.unconsumed("default") == [
        "2 replies of play(1) were not asked for",
        "1 reply of play(2) was not asked for",
    ]
    assert [said(selector.select(ask("Hi")).reply) for _ in range(2)] == ["one", "two"]
    assert selector.unconsumed("default") == ["1 reply of play(2) was not asked for"]
    assert said(selector.select(ask("Hi")).reply) == "three"
    assert (selector.unconsumed("default"), selector.misses("default")) == ([], [])


def test_a_reply_left_of_several_says_of_how_many(selector: Selector) -> None:
    selector.arm("s", scenario_from({"replies": ["one", "two", "three"]}, "play()"))
    selector.select(ask("Hi", session="s"))
    assert selector.unconsumed("s") == ["2 of 3 replies of play() were not asked for"]


def test_asking_for_more_than_is_armed_is_a_miss(selector: Selector) -> None:
    selector.arm("s", scenario_from("one", "play()"))
    selector.select(ask("Hi", session="s"))
    told = miss(selector, ask("a refund, please", session="s"))
    assert "Nothing is left for session 's'" in told
    assert "of 1 armed replies all are used" in told
    assert "'a refund, please'" in told
    assert selector.misses("s") == [told]
    assert selector.misses("default") == []


def test_asking_for_other_than_is_armed_is_a_miss_that_explains(selector: Selector) -> None:
    selector.arm(
        "s", scenario_from({"reply": "one", "match": {"prompt": "refund", "call": 2}}, "play('one')")
    )
    told = miss(selector, ask("Hello", session="s"))
    assert told == (
        "What is armed next for session 's', play('one'), is not for this request. "
        "call: wanted 2, got 1; prompt: wanted refund, got 'Hello'."
    )
    assert said(selector.select(ask("Hi", "Hello", "a refund", session="s")).reply) == "one"
    assert selector.misses("s") == [told]


@pytest.mark.parametrize(
    ("request_", "asked"),
    [
        (ask("Hi", path="retry/twise"), "path"),
        (ask("Hi", header="retry/twise"), "header x-converse-scenario"),
        (ask("Hi [[scenario: retry/twise]]"), "marker in the prompt"),
    ],
)
def test_a_name_that_no_scenario_has_is_a_miss(selector: Selector, request_: Request, asked: str) -> None:
    every = len(packaged()) + len(FILES)
    told = miss(selector, request_)
    assert told.startswith("No scenario is called 'retry/twise'. Nearest: retry/twice")
    assert told.endswith(f"It was asked for by the {asked}. GET /_emulator/scenarios lists all {every}.")


def test_a_named_scenario_that_cannot_be_read_is_a_miss_with_its_mistakes(
    folder: Path, selector: Selector
) -> None:
    (folder / "late.yaml").write_text("titel: x")
    selector = Selector(LateLibrary([folder]))
    told = miss(selector, ask("Hi", path="late"))
    assert told.startswith("The scenario 'late', asked for by the path, cannot be read. ")
    assert "late.yaml:1:1: unknown member 'titel'" in told


class LateLibrary(Library):
    """A library that does not look at the user's files at the start, as if one had been broken since."""

    def matching(self) -> tuple[Any, ...]:
        return ()


def test_broken_files_of_the_user_are_told_at_the_start(folder: Path) -> None:
    (folder / "broken.yaml").write_text("titel: x")
    with pytest.raises(ScenarioError, match=r"broken\.yaml:1:1"):
        Selector(Library([folder]))


def test_reset_forgets_one_session_or_all(selector: Selector) -> None:
    for session in ("a", "b", "c"):
        selector.arm(session, scenario_from("one", "play()"))
    miss(selector, ask("Hi", session="a", path="nowhere"))
    selector.reset("a")
    assert (selector.unconsumed("a"), selector.misses("a")) == ([], [])
    chosen = selector.select(ask("Hi", session="a"))
    assert (chosen.chosen_by, chosen.number) == ("automatic", 1)
    assert selector.unconsumed("b") != []
    selector.reset()
    assert (selector.unconsumed("b"), selector.unconsumed("c")) == ([], [])


def test_what_is_remembered_is_bounded(selector: Selector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MAX_TRIES", 2)
    monkeypatch.setattr(selection, "MAX_SESSIONS", 3)
    for text in ("a", "b", "c"):
        selector.select(ask(text, path="retry/twice"))
    assert said(selector.select(ask("c", path="retry/twice")).reply) == "Reset"  # still counted
    assert said(selector.select(ask("a", path="retry/twice")).reply) == "ThrottlingException"  # forgotten
    for session in ("s1", "s2", "s3"):
        selector.arm(session, scenario_from("one", "play()"))
    assert [len(selector.unconsumed(session)) for session in ("s1", "s2", "s3")] == [1, 1, 1]
    selector.arm("s4", scenario_from("one", "play()"))
    assert [len(selector.unconsumed(session)) for session in ("s1", "s2", "s3", "s4")] == [0, 1, 1, 1]
    for _ in range(selection.MAX_MISSES + 5):
        miss(selector, ask("Hi", session="s4", path="nowhere"))
    assert len(selector.misses("s4")) == selection.MAX_MISSES


def test_arming_from_threads_loses_nothing(selector: Selector) -> None:
    def arm() -> None:
        for _ in range(50):
            selector.arm("s", scenario_from("one", "play()"))

    threads = [threading.Thread(target=arm) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [selector.select(ask("Hi", session="s")).number for _ in range(200)]
    assert numbers == list(range(1, 201))
    assert selector.unconsumed("s") == []
