"""The journal of a run as a scenario that plays it again."""

import json
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.eventstream import ParserError
from botocore.exceptions import BotoCoreError, ClientError
from converse_emulator import Emulator, Library
from converse_emulator.choosing.request import Request
from converse_emulator.cli import main
from converse_emulator.language.loader import load_text, scenario_from
from converse_emulator.playing.acts import (
    Act,
    Ended,
    Gate,
    Hangup,
    Head,
    Hold,
    Raw,
    Reset,
    Send,
    Timeline,
    Torn,
)
from converse_emulator.playing.recording import Recording
from converse_emulator.rehearsal import EXAMPLE_MODEL, Rehearsed, Run, rehearse
from converse_emulator.replay import CannotReplay, as_yaml, reply_of, scenario_of, session_of
from converse_emulator.replay_steps import unpadded
from urllib3.exceptions import HTTPError

SPEED = 1000.0
NAMES = Library().names()


def recorded(name: str, operation: str = "converse_stream", times: int = 1) -> list[Any]:
    """The journal of real requests for a scenario."""
    with Emulator(speed=SPEED) as bedrock:
        client = bedrock.client(retries={"total_max_attempts": 1}, read_timeout=30)
        messages = [{"role": "user", "content": [{"text": f"Hi [[scenario: {name}]]"}]}]
        for _ in range(times):
            try:
                response = getattr(client, operation)(modelId=EXAMPLE_MODEL, messages=messages)
                if "stream" in response:
                    with closing(response["stream"]) as stream:
                        list(stream)
            except (ClientError, BotoCoreError, HTTPError, ParserError):
                pass
        bedrock.journal.wait(times, timeout=30)
        recordings = bedrock._plane.journal.recordings()
        return [json.loads(json.dumps(each.exchange(data=True).as_json())) for each in recordings]


def played(text: str, operation: str, requests: int) -> list[Timeline]:
    scenario = load_text(text, name="replay", source="replay.yaml")
    return [each.timeline for each in rehearse(scenario, Run("other", operation=operation), requests)]


def told(timeline: Timeline) -> list[Any]:
    """What comes, in order and to the byte but for padding, ids and dates."""
    return [_told(act) for beat in timeline.beats for act in _acts(beat.act)]


def _acts(act: Act) -> list[Act]:
    return [] if isinstance(act, Gate) or act == Send(b"", getattr(act, "what", "")) else [act]


def _told(act: Act) -> Any:
    match act:
        case Send(data, alone=alone):
            return "send", unpadded([data]), alone
        case Head(status, headers):
            own = ("date", "x-amzn-requestid")
            return "head", status, [each for each in headers if each[0].lower() not in own]
        case Torn(whole, at):
            return "torn", _told(whole), at
        case Raw(data):
            return "raw", data
        case Hold(repeated, every):
            return "hold", repeated and _told(repeated), every
        case _:
            return act


def exchange_of(each: Rehearsed, operation: str) -> Any:
    """The journal of an exchange in which all went as planned."""
    request = Request(operation, EXAMPLE_MODEL, {}, {})
    recording = Recording(1, request, 0.0, lambda *_: None, lambda: None)
    beats = each.timeline.beats
    for number, beat in enumerate(beats):
        recording.performed(beats, number, number + 1, beat.at)
    recording.ended(ending(each.timeline, recording.exchange().status), each.timeline.beats[-1].at)
    return json.loads(json.dumps(recording.exchange(data=True).as_json()))


def ending(timeline: Timeline, status: int | None) -> Ended:
    match timeline.beats[-1].act:
        case Hangup():
            return "hung up"
        case Reset():
            return "reset"
        case Hold():
            return "client left"
        case _:
            return "refused" if status and status >= 400 else "finished"


@pytest.mark.parametrize("name", NAMES)
def test_the_same_comes_at_the_same_moments_and_ends_alike(name: str) -> None:
    before = list(rehearse(Library().get(name), Run("7"), 2))
    for each in before:
        text = as_yaml(scenario_of([exchange_of(each, "ConverseStream")]))
        (again,) = played(text, "ConverseStream", 1)
        assert told(again) == told(each.timeline), text
        ends = zip(each.timeline.beats, again.beats, strict=False)
        assert all(abs(then.at - now.at) < 0.01 for then, now in ends)


def test_the_moments_are_those_that_were_planned() -> None:
    (exchange,) = recorded("text/article-answer")
    planned = [act["planned"] for act in exchange["acts"] if "send" in act["act"]]
    (timeline,) = played(as_yaml(scenario_of([exchange])), "ConverseStream", 1)
    now = [beat.at for beat in timeline.beats if isinstance(beat.act, Send)]
    gaps = zip(pairwise(planned), pairwise(now), strict=True)
    assert all(abs((b - a) - (d - c)) < 0.001 for (a, b), (c, d) in gaps)


def test_a_blocking_answer_is_the_same_body() -> None:
    (exchange,) = recorded("text/short-answer", "converse")
    (timeline,) = played(as_yaml(scenario_of([exchange])), "Converse", 1)
    (body,) = (beat.act.data for beat in timeline.beats if isinstance(beat.act, Send))
    assert json.loads(body)["output"]["message"]["content"][0]["text"]
    assert body.decode() == reply_of(exchange)[-1]["bytes"]


def test_where_the_client_left_nothing_more_is_known() -> None:
    (whole,) = recorded("text/short-answer")
    exchange = whole | {"ended": "client left", "acts": whole["acts"][:-2]}
    assert reply_of(exchange)[-1] == {"wait": "forever"}
    (timeline,) = played(as_yaml(scenario_of([exchange])), "ConverseStream", 1)
    assert isinstance(timeline.beats[-1].act, Hold)


def as_recorded(*reply: Any) -> Any:
    (each,) = rehearse(scenario_from({"reply": list(reply)}, "test"), Run("7"), 1)
    return exchange_of(each, "ConverseStream")


@pytest.mark.parametrize("reached", [0, 3, 7])
def test_what_an_outage_cut_is_cut_again(reached: int) -> None:
    """Before anything came, in the middle, and while it would have waited for ever."""
    whole = as_recorded({"text": "Hello there"}, {"wait": "forever"})
    exchange = whole | {"ended": "outage", "ended_at": 2.5, "acts": whole["acts"][:reached]}
    assert reply_of(exchange)[-2:] == [{"wait": 2.5}, {"hangup": "connection"}]
    (timeline,) = played(as_yaml(scenario_of([exchange])), "ConverseStream", 1)
    sent = sum(isinstance(beat.act, Send) for beat in timeline.beats)
    assert sent == sum("send" in act["act"] for act in exchange["acts"])


def test_what_trickled_until_an_outage_trickles_until_then() -> None:
    whole = as_recorded({"text": "Hello"}, {"trickle": {"send": "text", "every": 1.0}})
    hold = whole["acts"][-1]
    again = [hold | {"planned": at, "act": hold["act"]["hold"]["act"]} for at in (1.0, 2.0)]
    exchange = whole | {"ended": "outage", "ended_at": 2.5, "acts": [*whole["acts"], *again]}
    steps = reply_of(exchange)
    assert [step["wait"] for step in steps if "wait" in step] == [1.0, 1.0, 0.5]
    assert steps[-1] == {"hangup": "connection"}


def test_several_sessions_have_to_be_told_apart() -> None:
    (exchange,) = recorded("text/short-answer")
    both = [exchange, exchange | {"session": "other"}]
    with pytest.raises(CannotReplay, match="has 2 sessions; name one of: default, other"):
        session_of(both, None)
    with pytest.raises(CannotReplay, match="has no session 'third'; it has: default, other"):
        session_of(both, "third")
    assert session_of(both, "other") == [both[1]]


def test_what_cannot_be_replayed_is_told() -> None:
    exchange = {"operation": "ConverseStream", "status": 200, "ended": "finished", "scenario": "a/b"}
    with pytest.raises(CannotReplay, match="the journal lacks what was sent"):
        reply_of(exchange | {"acts": [{"what": "send 3 B (x)", "planned": 0}]})
    with pytest.raises(CannotReplay, match="no exchange in which something was sent"):
        scenario_of([exchange | {"acts": []}])


def test_the_commands_make_a_file_that_replays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Emulator() as bedrock:
        bedrock.play([{"text": "Half an ans"}, "finish"])
        messages = [{"role": "user", "content": [{"text": "Hi"}]}]
        list(bedrock.client().converse_stream(modelId=EXAMPLE_MODEL, messages=messages)["stream"])
        assert main(["journal", bedrock.endpoint_url, "--json"]) == 0
        (tmp_path / "journal.json").write_text(capsys.readouterr().out)
    assert main(["replay", str(tmp_path / "journal.json")]) == 0
    (tmp_path / "again.yaml").write_text(capsys.readouterr().out)
    with Emulator() as bedrock:
        bedrock.play(scenario=tmp_path / "again.yaml")
        events = list(bedrock.client().converse_stream(modelId=EXAMPLE_MODEL, messages=messages)["stream"])
        assert bedrock.journal.last.text_sent == "Half an ans"
    assert "messageStop" not in str(events)
    assert main(["replay", str(tmp_path / "none.json")]) == 2
    assert "is neither a file nor an emulator's URL" in capsys.readouterr().err
    assert main(["replay", str(tmp_path / "again.yaml")]) == 2
    assert "is no emulator's journal" in capsys.readouterr().err
