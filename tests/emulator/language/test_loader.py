"""Files and Python data become scenarios, or one line for every mistake."""

import re
from pathlib import Path

import pytest
import yaml
from converse_emulator.errors import SHOWN, ScenarioError
from converse_emulator.language.loader import (
    MAX_BYTES,
    load_bytes,
    load_file,
    load_text,
    reply_from,
    scenario_from,
)
from converse_emulator.language.scenario import Finish, Match, Reset, Scenario, Text, Throw, Wait

GOOD = """\
title: Throttled after the third word
handlers: Show what arrived and say that it was cut.
match: {operation: ConverseStream, model: "anthropic.*", prompt: refund, call: 2, header: {x-test: "a*"}}
replies:
  - - wait: 800ms
    - text: "Your subscription renews on "
      every: 12.5ms
    - throw: throttlingException
  - It renews on 1 March.
"""


def read(text: str) -> Scenario:
    return load_text(text, name="topic/name", source="file.yaml")


def mistakes(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as error:
        read(text)
    return str(error.value).splitlines()


def reply(steps: str) -> str:
    return f"title: T\nhandlers: H\nreply:\n{steps}"


def test_a_file_is_a_scenario() -> None:
    assert read(GOOD) == Scenario(
        name="topic/name",
        title="Throttled after the third word",
        handlers="Show what arrived and say that it was cut.",
        match=Match("ConverseStream", "anthropic.*", "refund", call=2, header={"x-test": "a*"}),
        replies=(
            (Wait(0.8), Text("Your subscription renews on ", every=0.0125), Throw("throttlingException")),
            (Text("It renews on 1 March."),),
        ),
    )


def test_a_file_that_is_a_string_is_an_answers_text() -> None:
    assert read("Hello there.").replies == ((Text("Hello there."),),)


def test_reply_is_short_for_one_of_replies() -> None:
    assert read(reply("  - finish")).replies == ((Finish(),),)


def test_python_data_reads_like_the_yaml() -> None:
    steps = [
        {"wait": "800ms"},
        {"text": "Your subscription renews on ", "every": "12.5ms"},
        {"throw": "throttlingException"},
    ]
    assert reply_from(steps) == read(GOOD).replies[0]
    assert reply_from("Hi") == (Text("Hi"),)
    assert reply_from(("reset",)) == (Reset(),)


def test_what_is_armed_needs_no_title() -> None:
    armed = scenario_from({"replies": ["Hi", ["reset"]], "match": {"call": 1}}, "play()")
    assert (armed.name, armed.replies, armed.match) == ("play()", ((Text("Hi"),), (Reset(),)), Match(call=1))
    assert scenario_from("Hi", "x").replies == scenario_from({"reply": "Hi"}, "x").replies == ((Text("Hi"),),)


def test_every_mistake_is_told_with_its_place() -> None:
    bad = "title: T\nhandlrs: H\nreply:\n  - txt: Hi\n  - text: 12\n  - wait: soon\n    every: 1s\n"
    assert [line.split("; allowed: ")[0] for line in mistakes(bad)] == [
        "file.yaml:2:1: unknown member 'handlrs' (did you mean 'handlers'?)",
        "file.yaml:1:1: 'handlers' is missing",
        "file.yaml:4:5: unknown step 'txt' (did you mean 'text'?)",
        "file.yaml:5:11: the number 12 is not allowed here",
        "file.yaml:7:5: 'every' cannot stand beside 'wait'",
        "file.yaml:6:11: 'soon' is not allowed here",
    ]


def test_the_place_in_python_data_is_a_path() -> None:
    with pytest.raises(ScenarioError) as error:
        reply_from([{"text": "Hi"}, {"tool_use": {"name": 3, "in put": 1}}])
    assert [mistake.place for mistake in error.value.mistakes] == [
        "play()[1].tool_use['in put']",
        "play()[1].tool_use.name",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "file.yaml:1:1: the file is empty"),
        ("# nothing\n", "file.yaml:1:1: the file is empty"),
        ("a: [1, 2\nb: 3", "file.yaml:2:2: not YAML: while parsing a flow sequence"),
        ("a: &x 1\nb: *x", "file.yaml:2:4: an alias; allowed: the value itself"),
        ("a: &x [*x]", "file.yaml:1:8: an alias"),
        ("one\n--- two", "file.yaml:2:5: a second document"),
        ("a: é\x07", "file.yaml:1:5: the character U+0007 is not allowed in YAML"),
        ("!!python/object:os.system x", "file.yaml:1:1: the tag 'tag:yaml.org,2002:python/object:os.system'"),
        ("title: T\ntitle: U", "file.yaml:2:1: 'title' stands twice in this mapping"),
        ("? [a]\n: 1", "file.yaml:1:3: a list is no name"),
        ("1: 2", "file.yaml:1:1: the number 1 is no name"),
        ("12", "file.yaml:1:1: the number 12 is not allowed here"),
        ("- finish", "file.yaml:1:1: a list is not allowed here"),
        ("[" * 70 + "]" * 70, "file.yaml:1:66: nested more than 64 levels deep"),
        ("[" * 100_000, "file.yaml:1:66: nested more than 64 levels deep"),
        (reply("  - wait: .inf"), "file.yaml:4:11: inf is no number that JSON knows"),
        (reply("  - wait: 99999999999999999999999"), "file.yaml:4:11: inf is no number that JSON knows"),
        (reply("  - wait: 9999999999999999999"), "file.yaml:4:11: a number of more than 64 bits"),
    ],
)
def test_what_is_no_scenario_at_all(text: str, told: str) -> None:
    assert any(line.startswith(told) for line in mistakes(text)), mistakes(text)


def test_scalars_are_those_of_yaml_1_2() -> None:
    texts = ["no", "on", "12:30:00", "2024-01-01", "0x", "1_000", "-x", ".", "'12'", "Null!"]
    scenario = read(reply("".join(f"  - text: {text}\n" for text in texts)))
    assert [step.text for step in scenario.replies[0] if isinstance(step, Text)] == [
        text.strip("'") for text in texts
    ]
    inputs = ["12", "-1", "0x1f", "0o17", "1.5", ".5", "1e3", "true", "null", "~", "FALSE"]
    scenario = read(reply("".join(f"  - tool_use: {{name: x, input: {each}}}\n" for each in inputs)))
    assert [getattr(step, "input", ...) for step in scenario.replies[0]] == [
        *(12, -1, 31, 15, 1.5, 0.5, 1000.0, True, None, None, False)
    ]


def test_without_libyaml_the_same_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = read(GOOD)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert read(GOOD) == with_it
    assert mistakes("[" * 100_000)[0].startswith("file.yaml:1:66: nested more than 64 levels deep")


def test_files_are_utf_8_and_not_large(tmp_path: Path) -> None:
    path = tmp_path / "hello.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + "Grüße".encode())
    assert (load_file(path).name, load_file(path, "a/b").name) == ("hello", "a/b")
    assert load_file(path).replies == ((Text("Grüße"),),)
    for raw, told in {
        b"title: \xc3\xa4\nx: \xff": "f:2:4: not UTF-8",
        b"x" * (MAX_BYTES + 1): f"f: more than {MAX_BYTES} bytes",
    }.items():
        with pytest.raises(ScenarioError, match=f"^{re.escape(told)}$"):
            load_bytes(raw, name="n", source="f")
    with pytest.raises(ScenarioError, match=r"nowhere\.yaml: cannot be read: No such file"):
        load_file(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([{"text": b"bytes"}], "play()[0].text: bytes is no JSON value"),
        ([{1: 2}], "play()[0]: the key 1 is not a string"),
        ([{"wait": float("nan")}], "play()[0].wait: nan is no number that JSON knows"),
        ([{"text": "\ud800"}], "play()[0].text: half of a surrogate pair is no character"),
        (12, "play(): the number 12 is not allowed here"),
        (None, "play(): nothing is not allowed here"),
        (["Hi there"], "play()[0]: 'Hi there' is no step without an argument"),
        (["text"], "play()[0]: 'text' needs an argument"),
    ],
)
def test_what_is_no_reply(value: object, told: str) -> None:
    with pytest.raises(ScenarioError) as error:
        reply_from(value)
    assert str(error.value).startswith(told)


def test_data_that_contains_itself_ends() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ScenarioError, match="nested more than 64 levels deep"):
        reply_from(endless)


def test_only_so_many_mistakes_are_told() -> None:
    told = mistakes(reply("  - txt: Hi\n" * 1000))
    assert len(told) == SHOWN + 1
    assert told[-1] == f"… and {1000 - SHOWN} more mistakes"


def test_order_is_looked_at_once_all_steps_can_be_read() -> None:
    (told,) = mistakes(reply("  - corrupt: message_crc\n  - txt: Hi"))
    assert "unknown step 'txt'" in told


def test_nothing_is_implied_beside_bytes_that_could_be_damaged() -> None:
    (told,) = mistakes(reply('  - bytes: "{}"\n  - cut: 0.5'))
    assert "no frame comes after it that could be damaged" in told
    assert len(read(reply('  - cut: 0.5\n  - bytes: "{}"')).replies[0]) == 2
