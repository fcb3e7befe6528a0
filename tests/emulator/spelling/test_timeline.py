"""Compiled replies: the bytes and moments of a stream, and of a blocking response made of the same events."""

import json
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import EventStreamError
from botocore.parsers import create_parser
from botocore.session import Session
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.language.faults import Corrupt, Cut
from converse_emulator.language.scenario import (
    FOREVER,
    Event,
    Every,
    Reasoning,
    Refuse,
    Step,
    Text,
    Throw,
    ToolUse,
    Wait,
)
from converse_emulator.language.scenario import (
    Finish as FinishStep,
)
from converse_emulator.language.scenario import (
    Gate as GateStep,
)
from converse_emulator.language.scenario import (
    Hangup as HangupStep,
)
from converse_emulator.language.scenario import (
    Reset as ResetStep,
)
from converse_emulator.playing.acts import Act, Beat, Finish, Gate, Hangup, Head, Hold, Reset, Send, Timeline
from converse_emulator.spelling.timeline import compile_reply

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOW = 1_742_522_660.0  # Fri, 21 Mar 2025 02:04:20 GMT
THROTTLED = Throw("throttlingException", "Slow down")


def compiled(
    *steps: Step, operation: str = "ConverseStream", seed: str = "7", speed: float = 1.0, **inference: Any
) -> Timeline:
    body = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "inferenceConfig": inference}
    request = Request(operation, CLAUDE, {}, body)
    return compile_reply(steps, request, seed=seed, now=NOW, speed=speed)


def blocking(*steps: Step, **inference: Any) -> Timeline:
    return compiled(*steps, operation="Converse", **inference)


def acts(timeline: Timeline) -> list[Act]:
    return [beat.act for beat in timeline.beats]


def head(timeline: Timeline) -> Head:
    (found,) = [act for act in acts(timeline) if isinstance(act, Head)]
    return found


def body_bytes(timeline: Timeline) -> bytes:
    return b"".join(act.data for act in acts(timeline) if isinstance(act, Send))


def body(timeline: Timeline) -> Any:
    return json.loads(body_bytes(timeline))


def outline(timeline: Timeline) -> list[str]:
    """Acts by name, with `!` for the injected ones."""
    return [
        (beat.act.what if isinstance(beat.act, Send) else type(beat.act).__name__.lower())
        + (" !" if beat.injected else "")
        for beat in timeline.beats
    ]


# ------------------------------------------------------------------------------------------ the stream


def test_a_stream() -> None:
    assert outline(compiled(Text("Hi there"))) == [
        "head", "messageStart", "contentBlockDelta", "contentBlockDelta", "contentBlockStop",
        "messageStop", "metadata", "finish",
    ]  # fmt: skip


def test_the_head_of_a_stream() -> None:
    timeline = compiled(Wait(2), Text("Hi"))
    names = [name for name, _ in head(timeline).headers]
    assert names == ["Date", "Content-Type", "Transfer-Encoding", "Connection", "x-amzn-RequestId"]
    headers = dict(head(timeline).headers)
    assert headers["Date"] == "Fri, 21 Mar 2025 02:04:22 GMT"
    assert headers["Content-Type"] == "application/vnd.amazon.eventstream"
    assert timeline.beats[0].at == 2


def test_frames_due_at_the_same_moment_stay_apart() -> None:
    at = [beat.at for beat in compiled(Every(0.5), Text("a b c")).beats]
    assert at == [0, 0, 0, 0.5, 1, 1, 1, 1, 1]


def test_speed_divides_moments_but_not_what_is_said_of_them() -> None:
    timeline = compiled(Wait(4), Text("Hi"), speed=8)
    assert {beat.at for beat in timeline.beats} == {0.5}
    assert dict(head(timeline).headers)["Date"] == "Fri, 21 Mar 2025 02:04:20 GMT"
    assert json.loads(Decoder().feed(body_bytes(timeline))[-1].payload)["metrics"] == {"latencyMs": 4000}


def test_tokens_are_counted_where_they_end() -> None:
    timeline = compiled(Text("one two three", split=("one t", "wo three")))
    sends = [act.tokens for act in acts(timeline) if isinstance(act, Send)]
    assert sends == [0, 1, 2, 0, 0, 0]
    assert timeline.tokens == 3


def test_equal_seeds_give_equal_timelines() -> None:
    steps = (Reasoning("Hm"), ToolUse("find", {"a": 1}))
    assert compiled(*steps) == compiled(*steps)
    assert compiled(*steps) != compiled(*steps, seed="8")


def test_faults_are_marked_as_injected() -> None:
    assert outline(compiled(Text("a"), THROTTLED)) == [
        "head", "messageStart", "contentBlockDelta", "throttlingException !", "finish !",
    ]  # fmt: skip
    assert outline(compiled(Text("a"), Corrupt("message_crc"), HangupStep())) == [
        "head", "messageStart", "contentBlockDelta", "hangup !",
    ]  # fmt: skip
    assert outline(compiled(Corrupt("message_crc")))[:2] == ["head", "messageStart, message_crc corrupted !"]
    assert outline(compiled(Wait(FOREVER))) == ["hold !"]
    assert outline(compiled(ResetStep())) == ["reset !"]
    assert outline(compiled(FinishStep())) == ["head", "finish !"]


def test_a_cut_frame_is_the_first_bytes_of_a_whole_one() -> None:
    whole = [act.data for act in acts(compiled(Text("a"))) if isinstance(act, Send)]
    for at, length in ((20, 20), (0.5, len(whole[2]) // 2), (10_000, len(whole[2])), (1, 1)):
        timeline = compiled(Text("a"), Cut(at))
        cut = acts(timeline)[-2]
        assert isinstance(cut, Send)
        assert cut.data == whole[2][:length]
        assert outline(timeline)[-2:] == ["contentBlockStop, cut !", "finish !"]


def test_a_frame_cut_to_nothing_leaves_the_head() -> None:
    assert outline(compiled(Cut(0), HangupStep())) == ["head", "messageStart, cut !", "hangup !"]


def test_a_cut_delta_brings_no_tokens() -> None:
    timeline = compiled(Text("one "), Cut(50), Text("two"))
    assert [act.tokens for act in acts(timeline) if isinstance(act, Send)] == [0, 1, 0]
    assert timeline.tokens == 2


def test_gates_hold_before_the_head() -> None:
    assert outline(compiled(GateStep("go"), Text("a", split="whole")))[:3] == ["gate", "head", "messageStart"]


@pytest.mark.parametrize("operation", ["ConverseStream", "Converse"])
def test_a_refusal_is_an_http_error(operation: str) -> None:
    refusal = Refuse("ThrottlingException", message="Later", status=503, headers={"Retry-After": "3"})
    timeline = compiled(Wait(1), refusal, operation=operation)
    assert outline(timeline) == ["head !", "ThrottlingException !", "finish !"]
    assert {beat.at for beat in timeline.beats} == {1}
    assert head(timeline).status == 503
    headers = dict(head(timeline).headers)
    assert headers["x-amzn-ErrorType"].startswith("ThrottlingException:")
    assert headers["Retry-After"] == "3"
    assert headers["Content-Length"] == str(len(body_bytes(timeline)))
    assert body(timeline) == {"message": "Later"}


# ----------------------------------------------------------------------------------- what botocore sees


class Body:
    """What botocore reads an event stream from."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> list[bytes]:
        return [self._data[at : at + 7] for at in range(0, len(self._data), 7)]

    def close(self) -> None:
        pass


def botocore_events(timeline: Timeline) -> list[dict[str, Any]]:
    model = Session().get_service_model("bedrock-runtime").operation_model("ConverseStream")
    response = {
        "status_code": head(timeline).status,
        "headers": dict(head(timeline).headers),
        "body": Body(body_bytes(timeline)),
        "context": {"operation_name": "ConverseStream"},
    }
    return list(create_parser("rest-json").parse(response, model.output_shape)["stream"])


def test_botocore_reads_the_events_that_were_scripted() -> None:
    steps = (
        Reasoning("Hm", "c2ln", split="whole"),
        Text("Hi é🌍", split="whole"),
        ToolUse("find", '{"a"', id="t"),
    )
    events = botocore_events(compiled(*steps))
    assert [next(iter(event.items())) for event in events][:-1] == [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm"}}}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "c2ln"}}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "Hi é🌍"}}),
        ("contentBlockStop", {"contentBlockIndex": 1}),
        (
            "contentBlockStart",
            {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "find"}}},
        ),
        ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": ""}}}),
        ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"'}}}),
        ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "a"}}}),
        ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '"'}}}),
        ("contentBlockStop", {"contentBlockIndex": 2}),
        ("messageStop", {"stopReason": "tool_use"}),
    ]
    usage = events[-1]["metadata"]["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


def test_botocore_raises_the_exception_that_was_thrown() -> None:
    with pytest.raises(EventStreamError) as caught:
        botocore_events(compiled(Text("Hi"), THROTTLED))
    assert caught.value.response["Error"] == {"Code": "throttlingException", "Message": "Slow down"}


def test_botocore_raises_an_error_that_is_not_modelled() -> None:
    with pytest.raises(EventStreamError) as caught:
        botocore_events(compiled(Throw("InternalFailure", "Oops", kind="error")))
    assert caught.value.response["Error"] == {"Code": "InternalFailure", "Message": "Oops"}


@pytest.mark.parametrize("what", ["prelude_crc", "message_crc"])
def test_botocore_rejects_a_corrupted_frame(what: Any) -> None:
    with pytest.raises(ChecksumMismatch):
        botocore_events(compiled(Text("Hi"), Corrupt(what)))


@pytest.mark.parametrize("fault", [FinishStep(), Cut(30)])
def test_botocore_takes_a_clean_cut_for_the_end(fault: Step) -> None:
    assert list(botocore_events(compiled(Text("Hi"), fault))[-1]) == ["contentBlockDelta"]


# -------------------------------------------------------------------------------- the blocking response


def test_a_blocking_response_comes_when_the_generation_ends() -> None:
    timeline = blocking(Wait(1), Every(0.5), Text("a b c"), GateStep("go"), Wait(1))
    assert outline(timeline) == ["gate", "head", "the answer", "finish"]
    assert [beat.at for beat in timeline.beats] == [2, 3, 3, 3]
    assert [act.tokens for act in acts(timeline) if isinstance(act, Send)] == [3]
    names = [name for name, _ in head(timeline).headers]
    assert names == ["Date", "Content-Type", "Content-Length", "Connection", "x-amzn-RequestId"]
    assert dict(head(timeline).headers)["Content-Length"] == str(len(body_bytes(timeline)))


def test_a_blocking_response_says_what_the_stream_said() -> None:
    steps = (Text("Hi"), ToolUse("find", {"z": 1, "a": 2}, id="t"))
    usage = botocore_events(compiled(*steps))[-1]["metadata"]["usage"]
    answer = body(blocking(*steps))
    assert answer["output"]["message"] == {
        "content": [
            {"text": "Hi"},
            {"toolUse": {"input": {"z": 1, "a": 2}, "name": "find", "toolUseId": "t"}},
        ],
        "role": "assistant",
    }
    assert answer["stopReason"] == "tool_use"
    assert answer["usage"]["outputTokens"] == usage["outputTokens"]
    assert b'"input":{"z":1,"a":2}' in body_bytes(blocking(*steps))


@pytest.mark.parametrize(
    ("thrown", "status", "code"),
    [
        ("throttlingException", 429, "ThrottlingException"),
        ("modelStreamErrorException", 424, "ModelErrorException"),
        ("internalServerException", 500, "InternalServerException"),
        ("serviceUnavailableException", 503, "ServiceUnavailableException"),
        ("validationException", 400, "ValidationException"),
        ("modelTimeoutException", 408, "ModelTimeoutException"),
        ("somethingNewException", 500, "SomethingNewException"),
    ],
)
def test_what_a_stream_throws_is_an_http_error_of_a_blocking_call(
    thrown: str, status: int, code: str
) -> None:
    timeline = blocking(Text("a"), Wait(1), Throw(thrown, "No"), Wait(1), Text("b"))
    assert outline(timeline) == ["head !", f"{thrown} !", "finish !"]
    assert [beat.at for beat in timeline.beats] == [1, 1, 2]
    assert [act.tokens for act in acts(timeline) if isinstance(act, Send)] == [0]
    assert head(timeline).status == status
    assert dict(head(timeline).headers)["x-amzn-ErrorType"].startswith(f"{code}:")
    assert body(timeline) == {"message": "No"}


def test_an_exception_without_a_message_has_a_real_one() -> None:
    streamed = Decoder().feed(body_bytes(compiled(Throw("throttlingException"))))[0]
    assert json.loads(streamed.payload) == body(blocking(Throw("throttlingException")))
    assert "Too many" in json.loads(streamed.payload)["message"]
    assert body(blocking(Throw("somethingNew")))["message"]


def test_a_blocking_response_that_finishes_early_is_unfinished() -> None:
    timeline = blocking(Text("Hi"), FinishStep())
    assert outline(timeline) == ["head !", "the answer !", "finish !"]
    assert body(timeline) == {"output": {"message": {"content": [{"text": "Hi"}], "role": "assistant"}}}
    assert body(blocking(FinishStep())) == {}


@pytest.mark.parametrize(
    ("steps", "end"),
    [((HangupStep(),), Hangup()), ((ResetStep(),), Reset()), ((Wait(FOREVER),), Hold())],
)
def test_a_blocking_connection_that_ends_early_has_sent_nothing(steps: tuple[Step, ...], end: Act) -> None:
    assert blocking(Text("Hi"), Wait(1), *steps).beats == (Beat(1, end, injected=True),)


def test_a_cut_blocking_response_is_shorter_than_it_says() -> None:
    whole = blocking(Text("Hi"), FinishStep())
    timeline = blocking(Text("Hi"), Cut(30), Wait(2), HangupStep())
    assert outline(timeline) == ["head !", "the answer, cut !", "hangup !"]
    assert [beat.at for beat in timeline.beats] == [0, 0, 2]
    assert body_bytes(timeline) == body_bytes(whole)[:30]
    assert dict(head(timeline).headers)["Content-Length"] == str(len(body_bytes(whole)))


def test_a_cut_blocking_response_that_finishes_is_as_long_as_it_says() -> None:
    timeline = blocking(Text("Hi"), Cut(0.5))
    assert outline(timeline) == ["head !", "the answer, cut !", "finish !"]
    assert dict(head(timeline).headers)["Content-Length"] == str(len(body_bytes(timeline)))
    assert outline(blocking(Text("Hi"), Cut(0))) == ["head !", "finish !"]


def test_a_corrupted_blocking_response_is_no_json() -> None:
    timeline = blocking(Text("Hi"), Corrupt("message_crc"))
    assert outline(timeline) == ["head !", "the answer, corrupted !", "finish"]
    assert dict(head(timeline).headers)["Content-Length"] == str(len(body_bytes(timeline)))
    with pytest.raises(json.JSONDecodeError):
        body(timeline)


def test_limits_hold_for_blocking_calls() -> None:
    answer = body(blocking(Text("one two three"), maxTokens=2))
    assert answer["stopReason"] == "max_tokens"
    assert answer["usage"]["outputTokens"] == 2


def test_literal_events_are_folded_as_well() -> None:
    literal = Event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}})
    assert body(blocking(literal))["output"]["message"]["content"] == [{"text": "Hi"}]


def test_gates_have_their_names() -> None:
    assert Gate("go") in acts(blocking(GateStep("go"), Text("a")))
    assert acts(blocking(Text("a")))[-1] == Finish()
