"""A reply in Sonic's events: their order, what they say, and what befalls them."""

import base64
import json
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.dialogue.compiling import compile_turn
from converse_emulator.dialogue.hearing import Hearing, Turn
from converse_emulator.dialogue.sonic import Speech, Voice
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.language.faults import Corrupt
from converse_emulator.language.scenario import (
    Finish,
    Gate,
    Reasoning,
    Refuse,
    Reply,
    Text,
    Throw,
    ToolUse,
    Wait,
)
from converse_emulator.language.wrap import Wrap
from converse_emulator.playing import acts
from converse_emulator.playing.acts import Send, Timeline
from converse_emulator.scripting.tokens import count_request
from converse_emulator.spelling.delivery import Delivery
from hypothesis import given
from hypothesis import strategies as st

AUDIO = {"sampleRateHertz": 8000}


def turn(
    reply: Reply, *, audio: bool = False, wrap: Wrap | None = None, **about: Any
) -> tuple[Timeline, Any]:
    hearing = Hearing(prompt="p", audio=AUDIO if audio else None)
    hearing.body["messages"].append({"role": "user", "content": [{"text": "Hi there"}]})
    request = Request("InvokeModelWithBidirectionalStream", "amazon.nova-2-sonic-v1:0", {}, hearing.body)
    rng = Random("7")
    speech = Speech(Voice(rng), hearing, Turn(**about))
    return compile_turn(
        reply, request, rng, speech, Delivery("id", 0.0, 1.0), (wrap, Random("w")) if wrap else None
    )


def documents(timeline: Timeline) -> list[tuple[str, dict[str, Any]]]:
    """Name and members of each event; of a frame that is no chunk its headers' type and its payload."""
    found = []
    for beat in timeline.beats:
        if isinstance(beat.act, Send):
            (message,) = Decoder().feed(beat.act.data)
            payload = json.loads(message.payload)
            if "bytes" in payload:
                ((name, members),) = json.loads(base64.b64decode(payload["bytes"]))["event"].items()
            else:
                name, members = str(message.header(":exception-type")), payload
            found.append((name, members))
    return found


def told(timeline: Timeline) -> list[str]:
    """Each event in a word or two."""
    return [
        " ".join(
            [
                name,
                *filter(
                    None,
                    (
                        members.get(each)
                        for each in ("type", "stopReason", "content")
                        if name != "audioOutput"
                    ),
                ),
            ]
        )
        for name, members in documents(timeline)
    ]


def test_a_text() -> None:
    timeline, message = turn((Text("Good morning.", split=("Good ", "morning.")),))
    assert told(timeline) == [
        "completionStart",
        "contentStart TEXT",
        "textOutput Good ",
        "textOutput morning.",
        "contentEnd TEXT PARTIAL_TURN",
        "contentStart TEXT",
        "textOutput Good morning.",
        "contentEnd TEXT END_TURN",
        "usageEvent",
        "completionEnd END_TURN",
    ]
    stages = [
        members.get("additionalModelFields")
        for name, members in documents(timeline)
        if name == "contentStart"
    ]
    assert stages == ['{"generationStage":"SPECULATIVE"}', '{"generationStage":"FINAL"}']
    assert message == {"role": "assistant", "content": [{"text": "Good morning."}]}
    assert not any(isinstance(beat.act, acts.Finish | acts.Head) for beat in timeline.beats)


def test_every_event_tells_whose_it_is_and_keys_are_sorted() -> None:
    timeline, _ = turn((Text("Hi"), ToolUse("x")), audio=True)
    events = documents(timeline)
    assert len({(each["sessionId"], each["completionId"], each["promptName"]) for _, each in events}) == 1
    assert all(list(each) == sorted(each) for _, each in events)
    contents = [each["contentId"] for name, each in events if name == "contentStart"]
    assert len(set(contents)) == len(contents)


def test_speech_is_heard_and_answered_with_sound() -> None:
    timeline, _ = turn((Text("Good morning to you.", split="whole"),), audio=True, spoken=1.5)
    assert told(timeline)[:9] == [
        "completionStart",
        "contentStart TEXT",
        "textOutput [1.5 s of speech]",
        "contentEnd TEXT END_TURN",
        "contentStart TEXT",
        "textOutput Good morning to you.",
        "contentEnd TEXT PARTIAL_TURN",
        "contentStart AUDIO",
        "audioOutput",
    ]
    sound = [base64.b64decode(each["content"]) for name, each in documents(timeline) if name == "audioOutput"]
    assert sum(map(len, sound)) / 2 / 8000 == pytest.approx(len("Good morning to you.") / 15, abs=0.1)
    usage = dict(documents(timeline))["usageEvent"]
    assert usage["details"]["delta"]["input"] == {
        "speechTokens": 38,
        "textTokens": count_request({"messages": [{"role": "user", "content": [{"text": "Hi there"}]}]}),
    }
    assert usage["totalTokens"] == usage["totalInputTokens"] + usage["totalOutputTokens"]


def test_a_tool_call_leaves_the_completion_open_and_its_result_goes_on() -> None:
    timeline, message = turn((ToolUse("weather", {"city": "Bern"}, id="t1"),))
    assert told(timeline) == [
        "completionStart",
        "contentStart TOOL",
        'toolUse {"city":"Bern"}',
        "contentEnd TOOL TOOL_USE",
        "usageEvent",
    ]
    assert (
        dict(documents(timeline))["toolUse"] | {"toolName": "weather", "toolUseId": "t1"}
        == dict(documents(timeline))["toolUse"]
    )
    assert message["content"] == [
        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Bern"}}}
    ]
    after, _ = turn((Text("Sunny."),), continues=True)
    assert told(after)[0] == "contentStart TEXT"


def test_reasoning_is_not_spoken() -> None:
    timeline, _ = turn((Reasoning("Hm."), Text("Hi")))
    assert "Hm." not in str(documents(timeline))


def test_a_gate_holds_between_the_words() -> None:
    timeline, _ = turn((Text("One"), Gate("g"), Text("two")))
    names = [beat.act.name if isinstance(beat.act, acts.Gate) else "" for beat in timeline.beats]
    assert names.index("g") == 3  # after completionStart, contentStart, textOutput


def test_an_exception_ends_the_session() -> None:
    timeline, _ = turn((Text("One"), Throw("modelTimeoutException")))
    name, payload = documents(timeline)[-1]
    assert (name, list(payload)) == ("modelTimeoutException", ["message"])
    assert isinstance(timeline.beats[-1].act, acts.Finish)


def test_a_refusal_comes_too_late_for_http_and_is_an_exception() -> None:
    timeline, _ = turn((Refuse("ThrottlingException"),))
    assert [name for name, _ in documents(timeline)] == ["throttlingException"]
    assert isinstance(timeline.beats[-1].act, acts.Finish)


def test_faults_befall_the_first_event() -> None:
    timeline, _ = turn((Corrupt("message_crc"), Text("One"), Finish()))
    injected = [beat.injected for beat in timeline.beats]
    assert injected == [True, *[False] * (len(injected) - 2), True]


@given(
    st.builds(
        Wrap,
        slow=st.none() | st.floats(0.01, 100),
        jitter=st.none() | st.floats(0, 2),
        bandwidth=st.none() | st.floats(50, 1e5),
        corrupt=st.none() | st.just("any") | st.integers(1, 30),
        cut=st.none() | st.floats(0.01, 1),
    )
)
def test_a_wrap_keeps_the_order_and_ends_the_session_where_it_cuts(wrap: Wrap) -> None:
    reply = (Wait(0.5), Text("Good morning.", every=0.1))
    plain, _ = turn(reply, audio=True)
    wrapped, _ = turn(reply, audio=True, wrap=wrap)
    assert all(before.at <= after.at for before, after in pairwise(wrapped.beats))
    assert not any(isinstance(beat.act, acts.Head) for beat in wrapped.beats)
    ends = [isinstance(beat.act, acts.Hangup) for beat in wrapped.beats]
    cut = wrap.cut is not None and wrap.cut < 1
    assert ends == [False] * (len(ends) - 1) + [cut]
    assert len(body(wrapped)) == int(len(body(plain)) * (wrap.cut or 1.0))
    if wrap == Wrap(slow=wrap.slow):
        assert [beat.at for beat in wrapped.beats] == [beat.at * (wrap.slow or 1.0) for beat in plain.beats]


def body(timeline: Timeline) -> bytes:
    return b"".join(beat.act.data for beat in timeline.beats if isinstance(beat.act, Send))
