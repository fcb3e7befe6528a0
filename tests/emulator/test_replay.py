"""The journal of a run as a scenario that plays it again."""

import json
from base64 import b64decode
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.eventstream import ParserError
from botocore.exceptions import BotoCoreError, ClientError
from converse_emulator import Emulator
from converse_emulator.cli import main
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.language.loader import load_text
from converse_emulator.playing.acts import Finish, Hangup, Hold, Reset, Send, Timeline
from converse_emulator.rehearsal import EXAMPLE_MODEL, Run, rehearse
from converse_emulator.replay import CannotReplay, as_yaml, reply_of, scenario_of, session_of
from urllib3.exceptions import HTTPError

SPEED = 1000.0
NAMES = [
    "text/short-answer",
    "tools/round-trip",
    "reasoning/text-and-signature",
    "exceptions/throttling",
    "truncation/clean-end",
    "truncation/clean-end-mid-frame",
    "corruption/message-crc",
    "resets/after-text",
    "refusals/throttling",
    "stop-reasons/max-tokens",
    "retries/throttled-twice-then-answered",
]


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


def without_padding(data: bytes) -> list[Any]:
    """What the frames say, as far as they are frames; else the bytes."""
    try:
        messages = Decoder().feed(data)
    except ValueError:
        return [data]
    told: list[Any] = []
    for message in messages:
        payload = json.loads(message.payload) if message.payload else {}
        payload.pop("p", None)
        told.append((message.headers, payload))
    return told or [data]


def sent(acts: Any) -> list[Any]:
    return [told for act in acts for told in without_padding(act)]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_frames_come_and_the_same_end(name: str) -> None:
    times = 3 if name.startswith("retries/") else 1
    exchanges = recorded(name, times=times)
    text = as_yaml(scenario_of(exchanges))
    for exchange, timeline in zip(exchanges, played(text, "ConverseStream", times), strict=True):
        before = [b64decode(act["data"]) for act in exchange["acts"] if act["data"]]
        now = [beat.act.data for beat in timeline.beats if isinstance(beat.act, Send)]
        assert sent(now) == sent(before)
        ends = {"finished": Finish, "refused": Finish, "hung up": Hangup, "reset": Reset}
        assert isinstance(timeline.beats[-1].act, ends[exchange["ended"]])


def test_the_moments_are_those_that_were_planned() -> None:
    (exchange,) = recorded("text/article-answer")
    planned = [act["planned"] for act in exchange["acts"] if act["data"]]
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
    (exchange,) = recorded("text/short-answer")
    assert reply_of(exchange | {"ended": "client left"})[-1] == {"wait": "forever"}
    timeline = played(as_yaml(scenario_of([exchange | {"ended": "client left"}])), "ConverseStream", 1)[0]
    assert isinstance(timeline.beats[-1].act, Hold)


def test_several_sessions_have_to_be_told_apart() -> None:
    (exchange,) = recorded("text/short-answer")
    both = [exchange, exchange | {"session": "other"}]
    with pytest.raises(CannotReplay, match="has 2 sessions; name one of: default, other"):
        session_of(both, None)
    with pytest.raises(CannotReplay, match="has no session 'third'; it has: default, other"):
        session_of(both, "third")
    assert session_of(both, "other") == [both[1]]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"acts": [{"what": "send 3 B (x)", "bytes": 3, "planned": 0}]}, "journal --json"),
        (
            {"acts": [{"what": "raw 3 B (x)", "bytes": 3, "planned": 0}]},
            "'raw 3 B \\(x\\)' has no replay",
        ),
    ],
)
def test_what_cannot_be_replayed_is_told(change: dict[str, Any], told: str) -> None:
    exchange = {"operation": "ConverseStream", "status": 200, "ended": "finished", "scenario": "a/b"}
    with pytest.raises(CannotReplay, match=told):
        reply_of(exchange | change)
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
