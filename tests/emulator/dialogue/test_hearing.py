"""Events become a conversation in Converse's terms, and turns; what is out of order is refused by name."""

import json
from array import array
from base64 import b64encode
from typing import Any

import pytest
from converse_emulator.dialogue.hearing import Hearing, Turn
from converse_emulator.dialogue.inbound import BadInput

Event = tuple[str, dict[str, Any]]

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": json.dumps(SCHEMA)}}}]}
START: list[Event] = [
    ("sessionStart", {"inferenceConfiguration": {"maxTokens": 50}}),
    ("promptStart", {"promptName": "p", "toolConfiguration": TOOLS}),
]
LOUD = b64encode(array("h", [9000] * 8000).tobytes()).decode()
QUIET = b64encode(bytes(32_000)).decode()
CALL = {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {}}}


def begin(name: str, kind: str, role: str, **more: Any) -> Event:
    return "contentStart", {"promptName": "p", "contentName": name, "type": kind, "role": role, **more}


def inside(name: str, event: str, content: str) -> Event:
    return event, {"promptName": "p", "contentName": name, "content": content}


def end(name: str) -> Event:
    return "contentEnd", {"promptName": "p", "contentName": name}


def text(name: str, role: str, said: str, **more: Any) -> list[Event]:
    return [begin(name, "TEXT", role, **more), inside(name, "textInput", said), end(name)]


def result(name: str, call: str, said: str) -> list[Event]:
    start = begin(name, "TOOL", "TOOL", toolResultInputConfiguration={"toolUseId": call})
    return [start, inside(name, "toolResult", said), end(name)]


def hear(hearing: Hearing, events: list[Event]) -> list[Turn | None]:
    return [hearing.hear(name, members) for name, members in events]


def test_a_conversation_is_kept_as_converse_has_it() -> None:
    hearing = Hearing()
    events = [
        *START,
        *text("s", "SYSTEM", "Be brief."),
        *text("1", "USER", "Hi", interactive=False),
        *text("2", "ASSISTANT", "Hello"),
        *text("3", "USER", "Rain?"),
    ]
    turns = hear(hearing, events)
    assert turns[:-1] == [None] * (len(events) - 1)
    assert turns[-1] == Turn()
    assert hearing.body == {
        "inferenceConfig": {"maxTokens": 50},
        "system": [{"text": "Be brief."}],
        "toolConfig": {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": SCHEMA}}}]},
        "messages": [
            {"role": "user", "content": [{"text": "Hi"}]},
            {"role": "assistant", "content": [{"text": "Hello"}]},
            {"role": "user", "content": [{"text": "Rain?"}]},
        ],
    }


def test_a_pause_in_the_audio_ends_a_turn_while_the_content_stays_open() -> None:
    hearing = Hearing()
    audio = [
        begin("a", "AUDIO", "USER"),
        *[inside("a", "audioInput", LOUD), inside("a", "audioInput", QUIET)] * 2,
    ]
    turns = hear(hearing, [*START, *audio, end("a")])
    assert [turn for turn in turns if turn] == [Turn(spoken=0.5)] * 2
    assert turns[-1] is None  # nothing was said since
    assert hearing.body["messages"][-1]["content"] == [{"text": "[0.5 s of speech]"}]


def test_the_end_of_the_audio_ends_a_turn_as_well() -> None:
    events = [*START, begin("a", "AUDIO", "USER"), inside("a", "audioInput", LOUD), end("a")]
    assert hear(Hearing(), events)[-1] == Turn(spoken=0.5)


def test_a_turn_goes_on_when_the_results_of_all_calls_have_come() -> None:
    hearing = Hearing()
    hear(hearing, [*START, *text("1", "USER", "Rain?")])
    other = {"toolUse": {**CALL["toolUse"], "toolUseId": "t2"}}
    hearing.answered({"role": "assistant", "content": [CALL, other]})
    assert hear(hearing, result("2", "t2", "dry"))[-1] is None
    assert hear(hearing, result("3", "t1", '{"rain": 1}'))[-1] == Turn(continues=True)
    assert hearing.body["messages"][-1] == {
        "role": "user",
        "content": [
            {"toolResult": {"toolUseId": "t2", "content": [{"text": "dry"}]}},
            {"toolResult": {"toolUseId": "t1", "content": [{"json": {"rain": 1}}]}},
        ],
    }


def test_after_the_end_of_the_prompt_the_session_may_end() -> None:
    hearing = Hearing()
    hear(hearing, [*START, ("promptEnd", {"promptName": "p"}), ("sessionEnd", {})])
    assert hearing.over


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (
            [("sesionStart", {})],
            r"Unknown input event 'sesionStart' \(did you mean 'sessionStart'\?\); allowed: ",
        ),
        ([("promptStart", {})], "must begin with sessionStart, not with promptStart"),
        ([*START, START[0]], "sessionStart came a second time"),
        ([*START, START[1]], "promptStart came a second time"),
        ([START[0], ("promptStart", {})], "promptStart: promptName must be a string that is not empty"),
        ([START[0], *text("1", "USER", "Hi")], "contentStart: no promptStart named the prompt 'p'"),
        ([*START, begin("1", "VIDEO", "USER")], "type is one of TEXT, AUDIO, TOOL .* not 'VIDEO' and 'USER'"),
        ([*START, *text("1", "USER", "Hi"), begin("1", "TEXT", "USER")], "contentName '1' was used before"),
        ([*START, inside("1", "textInput", "Hi")], "textInput: no content of type TEXT named '1' is open"),
        (
            [*START, begin("1", "TEXT", "USER"), inside("1", "audioInput", "")],
            "no content of type AUDIO named '1'",
        ),
        ([*START, begin("1", "AUDIO", "USER"), inside("1", "audioInput", "%")], "content is not base64"),
        ([*START, end("1")], "contentEnd: no content named '1' is open"),
        ([*START, *result("1", "t9", "x")], "toolUseId 't9'; waited for: none"),
        (
            [*START, ("promptEnd", {}), *text("1", "USER", "Hi")],
            "contentStart came after the end of the prompt",
        ),
        (
            [START[0], ("promptStart", {"promptName": "p", "toolConfiguration": {"tools": [{}]}})],
            "a tool must be {toolSpec",
        ),
    ],
)
def test_what_is_out_of_order_is_refused(events: list[Event], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        hear(Hearing(), events)
