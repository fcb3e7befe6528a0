"""The command: what it says of clients that are not there, and how it takes over what happens."""

from pathlib import Path

import pytest

from conformance import runner
from conformance.clients import Client, load_clients
from conformance.environments import Unavailable
from conformance.expectations import load_expectations, merged, written
from conformance.outcome import Outcome
from conformance.talk import Broken

CLIENTS = {
    name: Client(name, "python", ("p==1",), "", "", "", conditions=("text", "reset")) for name in ("a", "b")
}
WAS = Outcome(text="Hi", stop="end_turn", requests=1)


def expected_in(folder: Path) -> Path:
    file = folder / "expected.toml"
    file.write_text(written({"b": {"text": WAS, "reset": Outcome(text="Hello", error="E: x")}}))
    return file


def test_a_client_that_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main(["boto4"]) == 2
    assert "boto4: no such client; there are boto3-oldest," in capsys.readouterr().err


def test_without_any_environment_nothing_is_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unavailable(*_: object) -> None:
        raise Unavailable("no network")

    monkeypatch.setattr(runner, "build", unavailable)
    assert runner.main(["boto3-newest"]) == 2
    assert "not available: boto3-newest: no network" in capsys.readouterr().out


@pytest.mark.parametrize(("outcome", "status"), [("expected", 0), ("other", 1), ("broken", 1)])
def test_reality_is_held_against_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], outcome: str, status: int
) -> None:
    expectations = load_expectations()

    def talk(_: object, client: Client, condition: str) -> Outcome:
        if outcome == "broken":
            raise Broken("it told nothing")
        return Outcome(stop="odd") if outcome == "other" else expectations[client.id][condition]

    monkeypatch.setattr(runner, "build", lambda *_: None)
    monkeypatch.setattr(runner, "talk", talk)
    conditions = len(load_clients()["boto3-newest"].conditions)
    assert runner.main(["boto3-newest"]) == status
    said = capsys.readouterr().out
    assert f"{conditions if status == 0 else 0} as expected, {conditions if status else 0} not" in said
    assert ("stop is 'odd'" in said) == (outcome == "other")


def test_what_happens_replaces_what_was_expected_and_leaves_the_rest(tmp_path: Path) -> None:
    now = Outcome(text="Bye", requests=2)
    result = merged({"a": {"text": now}, "b": {"text": now}}, CLIENTS, expected_in(tmp_path))
    assert list(result) == ["a", "b"]
    assert result["a"] == {"text": now}
    assert result["b"] == {"text": now, "reset": Outcome(text="Hello", error="E: x")}


def test_less_text_of_a_broken_stream_replaces_nothing(tmp_path: Path) -> None:
    less = Outcome(text="Hel", error="E: x")
    result = merged({"b": {"reset": less}}, CLIENTS, expected_in(tmp_path))
    assert result["b"]["reset"].text == "Hello"
