"""Faults and pace in native streams: as in a stream of Converse, on the chunks that events become."""

import base64
import json
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import ChecksumError, Decoder
from converse_emulator.language.faults import Corrupt, Cut
from converse_emulator.language.scenario import (
    FOREVER,
    Bytes,
    Event,
    Hangup,
    Image,
    Reasoning,
    Refuse,
    Step,
    Text,
    Throw,
    ToolUse,
    Wait,
)
from converse_emulator.language.scenario import Finish as FinishStep
from converse_emulator.language.scenario import Gate as GateStep
from converse_emulator.native.format import Unspeakable, Unstreamable
from converse_emulator.native.formats import UnknownFamily
from converse_emulator.playing.acts import Beat, Finish, Gate, Head, Hold, Send, Timeline
from converse_emulator.spelling.operations import read
from converse_emulator.spelling.timeline import compile_reply

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
LLAMA = "meta.llama3-8b-instruct-v1:0"
NOVA = "amazon.nova-lite-v1:0"
UNKNOWN = "stability.sd3-large-v1:0"
BODIES: Mapping[str, Mapping[str, Any]] = {
    CLAUDE: {"anthropic_version": "x", "max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]},
    LLAMA: {"prompt": "Hi"},
    NOVA: {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
    UNKNOWN: {"prompt": "Hi"},
}
STREAM, BODY = "InvokeModelWithResponseStream", "InvokeModel"


def played(model_id: str, *reply: Step, operation: str = STREAM) -> Timeline:
    native = BODIES[model_id]
    content, _ = read(operation, model_id, {}, native)
    return compile_reply(reply, Request(operation, model_id, {}, content, native=native), seed="7", now=0.0)


def sends(timeline: Timeline) -> list[tuple[float, Send, bool]]:
    return [(beat.at, beat.act, beat.injected) for beat in timeline.beats if isinstance(beat.act, Send)]


def documents(timeline: Timeline) -> list[Any]:
    """The chunks' inner JSON, of frames that are whole."""
    frames = Decoder().feed(b"".join(send.data for _, send, _ in sends(timeline)))
    return [
        json.loads(base64.b64decode(json.loads(frame.payload)["bytes"]))
        for frame in frames
        if frame.header(":event-type") == "chunk"
    ]


def last(timeline: Timeline) -> Beat:
    return timeline.beats[-1]


@pytest.mark.parametrize("model_id", [CLAUDE, LLAMA, NOVA])
def test_an_exception_ends_the_stream(model_id: str) -> None:
    timeline = played(model_id, Text("Hi you"), Throw("modelTimeoutException"))
    *_, (_, frame, injected) = sends(timeline)
    (message,) = Decoder().feed(frame.data)
    assert message.header(":exception-type") == "modelTimeoutException"
    assert injected
    assert "amazon-bedrock-invocationMetrics" not in str(documents(timeline))
    assert isinstance(last(timeline).act, Finish)


@pytest.mark.parametrize("model_id", [CLAUDE, LLAMA, NOVA])
def test_a_cut_frame_is_the_first_bytes_of_a_whole_one(model_id: str) -> None:
    whole = sends(played(model_id, Text("Hi", split="whole")))
    timeline = played(model_id, Cut(20), Text("Hi", split="whole"), Hangup())
    *_, (_, cut, injected) = sends(timeline)
    assert injected
    assert len(cut.data) == 20
    assert whole[len(sends(timeline)) - 1][1].data[:4] != b""
    assert cut.tokens == 0


@pytest.mark.parametrize("model_id", [CLAUDE, LLAMA, NOVA])
@pytest.mark.parametrize("what", ["prelude_crc", "message_crc"])
def test_a_corrupted_frame_is_the_next_one_that_is_sent(model_id: str, what: Any) -> None:
    timeline = played(model_id, Corrupt(what), Text("Hi"))
    (_, first, injected), *rest = sends(timeline)
    assert injected
    with pytest.raises(ChecksumError):
        Decoder().feed(first.data)
    assert not any(harmed for _, _, harmed in rest)


@pytest.mark.parametrize("model_id", [CLAUDE, LLAMA, NOVA])
def test_what_is_said_after_a_corrupted_end(model_id: str) -> None:
    """The next frame after the text is one that the format has."""
    timeline = played(model_id, Text("Hi"), Corrupt("message_crc"))
    harmed = [send for _, send, injected in sends(timeline) if injected]
    assert len(harmed) == 1
    with pytest.raises(ChecksumError):
        Decoder().feed(harmed[0].data)


def test_a_final_chunk_that_comes_later_stays_apart() -> None:
    timeline = played(LLAMA, Text("Hi", split="whole"), Wait(2))
    assert [at for at, _, _ in sends(timeline)] == [0, 2]
    said, final = documents(timeline)
    assert (said["generation"], final["generation"]) == ("Hi", "")
    assert final["amazon-bedrock-invocationMetrics"] == {
        "inputTokenCount": 5,
        "outputTokenCount": 1,
        "invocationLatency": 2000,
        "firstByteLatency": 0,
    }


def test_pace_gates_and_ends_are_those_of_converse() -> None:
    timeline = played(LLAMA, Wait(1), Text("Hi you", every=0.5), GateStep("go"), Text("!"))
    assert [beat.at for beat in timeline.beats] == [1, 1, 1.5, 1.5, 1.5, 1.5, 1.5]
    assert [type(beat.act) for beat in timeline.beats] == [Head, Send, Send, Gate, Send, Send, Finish]
    assert isinstance(last(played(LLAMA, Text("Hi"), Wait(FOREVER))).act, Hold)
    assert documents(played(LLAMA, Text("Hi"), FinishStep()))[-1]["stop_reason"] is None


def test_a_refusal_is_an_http_error() -> None:
    head = played(CLAUDE, Refuse("ThrottlingException")).beats[0].act
    assert isinstance(head, Head)
    assert (head.status, head.headers[-1][0]) == (429, "x-amzn-ErrorType")


def test_a_blocking_call_gets_an_http_error_for_an_exception() -> None:
    head = played(CLAUDE, Text("Hi"), Throw("modelTimeoutException"), operation=BODY).beats[0].act
    assert isinstance(head, Head)
    assert head.status == 408


def test_tokens_are_those_of_the_answer() -> None:
    for model_id in (CLAUDE, LLAMA, NOVA):
        timeline = played(model_id, Text("one two three"))
        assert sum(send.tokens for _, send, _ in sends(timeline)) == timeline.tokens == 3


# ----------------------------------------------------------------------------------------------- bytes


def test_bytes_are_a_chunk_each_and_nothing_is_implied() -> None:
    timeline = played(UNKNOWN, Bytes(b'{"a":1}'), Wait(1), Bytes(b'{"b":2}'))
    assert documents(timeline) == [{"a": 1}, {"b": 2}]
    assert [at for at, _, _ in sends(timeline)] == [0, 1]


def test_bytes_are_the_body() -> None:
    timeline = played(UNKNOWN, Bytes(b'{"a":'), Bytes(b"1}"), operation=BODY)
    ((_, sent, _),) = sends(timeline)
    assert sent.data == b'{"a":1}'
    head = timeline.beats[0].act
    assert isinstance(head, Head)
    assert dict(head.headers)["Content-Length"] == "7"


def test_bytes_stand_among_what_a_known_family_says() -> None:
    said = documents(played(LLAMA, Text("Hi"), Bytes(b'{"odd":true}')))
    assert [chunk.get("odd", False) for chunk in said] == [False, True, False]


def test_bytes_can_be_harmed_like_any_frame() -> None:
    ((_, cut, injected),) = sends(played(UNKNOWN, Cut(5), Bytes(b"{}"), Hangup()))
    assert (len(cut.data), injected) == (5, True)


def test_over_converse_bytes_are_a_part_of_the_body() -> None:
    request = Request("ConverseStream", CLAUDE, {}, BODIES[NOVA])
    timeline = compile_reply((Bytes(b"<html>"),), request, seed="7", now=0.0)
    assert b"".join(send.data for _, send, _ in sends(timeline)) == b"<html>"


def test_an_unknown_family_is_told_with_those_that_are_known() -> None:
    for operation in (STREAM, BODY):
        with pytest.raises(UnknownFamily, match=r"stability.sd3-large-v1:0.* claude, .* llama, .*`bytes:`"):
            played(UNKNOWN, Text("Hi"), operation=operation)


def test_faults_alone_need_no_known_family() -> None:
    assert isinstance(last(played(UNKNOWN, Throw("throttlingException"))).act, Finish)


@pytest.mark.parametrize(
    ("operation", "step"),
    [
        *product([STREAM, BODY], [ToolUse("look"), Reasoning("Hm"), Image(b"x")]),
        # In a body a call that never started is nothing.
        (STREAM, Event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": ""}}})),
    ],
)
def test_what_a_format_has_no_words_for_is_an_error_that_says_so(operation: str, step: Step) -> None:
    with pytest.raises(Unspeakable, match="Llama"):
        played(LLAMA, step, operation=operation)


def test_a_model_without_streams() -> None:
    native = {"inputText": "Hi"}
    request = Request(STREAM, "amazon.titan-embed-text-v1", {}, {"messages": []}, native=native)
    with pytest.raises(Unstreamable, match="The model is unsupported for streaming"):
        compile_reply((), request, seed="7", now=0.0)
