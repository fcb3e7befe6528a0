"""Laws of compiled replies: whatever is scripted and whatever the request asks, these hold."""

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder, FrameError, Message
from converse_emulator.language.faults import Corrupt, Cut
from converse_emulator.language.scenario import (
    FOREVER,
    Duration,
    Event,
    Every,
    Gate,
    Metadata,
    Reasoning,
    Refuse,
    Reply,
    Span,
    SplitBy,
    Step,
    Stop,
    Text,
    Throw,
    ToolUse,
    Usage,
    Wait,
)
from converse_emulator.language.scenario import (
    Finish as FinishStep,
)
from converse_emulator.language.scenario import (
    Hangup as HangupStep,
)
from converse_emulator.language.scenario import (
    Reset as ResetStep,
)
from converse_emulator.playing.acts import Finish, Hangup, Head, Hold, Reset, Send, Timeline
from converse_emulator.spelling.fold import fold
from converse_emulator.spelling.timeline import compile_reply
from hypothesis import given, settings
from hypothesis import strategies as st

unhurried = settings(deadline=None)  # a busy machine is no failure

ENDINGS = (Finish, Hangup, Reset, Hold)

TEXTS = st.text(max_size=12) | st.sampled_from(["Your subscription renews on Monday. ", "END", "é你🌍", "EN"])
DURATIONS: st.SearchStrategy[Duration] = st.floats(0, 60) | st.builds(Span, st.floats(0, 1), st.floats(1, 2))
PIECES = st.lists(st.text(max_size=3), max_size=3).map(tuple)
SPLITS: st.SearchStrategy[Any] = st.sampled_from(["tokens", "words", "characters", "whole"]) | PIECES
PACED = {"every": st.none() | DURATIONS, "split": st.none() | SPLITS}
INPUTS = st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(st.booleans()), max_size=3) | TEXTS

CONTENT: st.SearchStrategy[Step] = (
    st.builds(Text, TEXTS, **PACED)
    | st.builds(Reasoning, TEXTS, st.none() | st.just("c2ln"), st.none() | st.binary(max_size=4), **PACED)
    | st.builds(ToolUse, st.sampled_from(["find", "now"]), INPUTS, **PACED)
)
PACE: st.SearchStrategy[Step] = (
    st.builds(Wait, DURATIONS)
    | st.builds(Every, DURATIONS)
    | st.builds(SplitBy, SPLITS)
    | st.builds(Gate, TEXTS)
)
ENDS: st.SearchStrategy[Step] = (
    st.builds(Stop, st.sampled_from(["end_turn", "max_tokens", "odd"]))
    | st.builds(Usage, st.just({"inputTokens": 9}))
    | st.builds(Metadata, st.just({"trace": {}}))
)
FAULTS: st.SearchStrategy[Step] = (
    st.builds(Throw, st.sampled_from(["throttlingException", "newException"]), st.none() | TEXTS)
    | st.builds(Throw, st.just("InternalFailure"), st.just("x"), st.just("error"))
    | st.builds(Corrupt, st.sampled_from(["prelude_crc", "message_crc"]))
    | st.builds(Cut, st.integers(0, 300) | st.floats(0, 0.99))
    | st.sampled_from([FinishStep(), HangupStep(), ResetStep(), Wait(FOREVER), Refuse("ThrottlingException")])
)
LITERALS: st.SearchStrategy[Step] = st.builds(
    lambda index, text: Event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text}}),
    st.integers(0, 3),
    TEXTS,
) | st.sampled_from(
    [
        Event("messageStart", {"role": "assistant"}),
        Event("contentBlockStop", {"contentBlockIndex": 0}),
        Event(
            "contentBlockStart",
            {"contentBlockIndex": 1, "start": {"toolUse": {"name": "x", "toolUseId": "y"}}},
        ),
        Event("messageStop", {"stopReason": "end_turn"}),
        Event("metadata", {}),
        Event("newEvent", {"x": 1}),
    ]
)


def replies(*steps: st.SearchStrategy[Step]) -> st.SearchStrategy[Reply]:
    return st.lists(st.one_of(CONTENT, CONTENT, *steps), max_size=8).map(tuple)


ANY = replies(PACE, ENDS, FAULTS, LITERALS)
CLEAN = replies(PACE, st.builds(Usage, st.just({"inputTokens": 9})))
REQUESTS = st.builds(
    lambda operation, model_id, inference: Request(
        operation,
        model_id,
        {},
        {"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "inferenceConfig": inference},
    ),
    st.sampled_from(["ConverseStream", "Converse"]),
    st.sampled_from(["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us.amazon.nova-2-lite-v1:0"]),
    st.fixed_dictionaries(
        {},
        optional={"maxTokens": st.integers(1, 12), "stopSequences": st.lists(TEXTS.filter(bool), max_size=2)},
    ),
)
STREAMED = REQUESTS.map(lambda request: request._replace(operation="ConverseStream"))
SEEDS = st.integers(0, 9).map(str)


def compiled(reply: Reply, request: Request, seed: str = "0", speed: float = 1.0) -> Timeline:
    return compile_reply(reply, request, seed=seed, now=0, speed=speed)


def body(timeline: Timeline) -> bytes:
    return b"".join(beat.act.data for beat in timeline.beats if isinstance(beat.act, Send))


def readable(data: bytes) -> list[Message]:
    """The messages before the first bad one."""
    messages = []
    with suppress(FrameError):
        for message in Decoder().messages(data):
            messages.append(message)  # noqa: PERF402  what came before the error is kept
    return messages


def events(messages: list[Message]) -> list[tuple[str, dict[str, Any]]]:
    """Type and payload of the events, without padding."""
    return [
        (
            str(message.header(":event-type")),
            {k: v for k, v in json.loads(message.payload).items() if k != "p"},
        )
        for message in messages
        if message.header(":message-type") == "event"
    ]


def scripted_text(reply: Reply) -> str:
    texts = (step.text if isinstance(step, Text) else _literal_text(step) for step in reply)
    return "".join(texts)


def _literal_text(step: Step) -> str:
    return str(step.body.get("delta", {}).get("text", "")) if isinstance(step, Event) else ""


@unhurried
@given(ANY, REQUESTS, st.sampled_from([0.5, 1.0, 1e6, float("inf")]))
def test_time_never_runs_backwards_and_there_is_one_end(reply: Reply, request: Request, speed: float) -> None:
    beats = compiled(reply, request, speed=speed).beats
    assert all(0 <= sooner.at <= later.at for sooner, later in pairwise(beats))
    assert [beat for beat in beats if isinstance(beat.act, ENDINGS)] == [beats[-1]]


@unhurried
@given(ANY, REQUESTS)
def test_one_head_comes_before_all_bytes(reply: Reply, request: Request) -> None:
    beats = compiled(reply, request).beats
    sent = [isinstance(beat.act, Head) for beat in beats if isinstance(beat.act, Head | Send | Finish)]
    assert sent == [] or (sent[0] and not any(sent[1:]))
    assert all(beat.act.data or beat.injected for beat in beats if isinstance(beat.act, Send))


@unhurried
@given(ANY, REQUESTS, SEEDS)
def test_equal_seeds_give_equal_bytes_at_equal_times(reply: Reply, request: Request, seed: str) -> None:
    assert compiled(reply, request, seed) == compiled(reply, request, seed)


@unhurried
@given(ANY, STREAMED)
def test_the_text_that_arrives_is_a_prefix_of_the_scripted_text(reply: Reply, request: Request) -> None:
    arrived = [payload.get("delta", {}) for _, payload in events(readable(body(compiled(reply, request))))]
    assert scripted_text(reply).startswith("".join(delta.get("text", "") for delta in arrived))


@unhurried
@given(CLEAN, STREAMED)
def test_without_limits_and_faults_all_text_arrives(reply: Reply, request: Request) -> None:
    timeline = compiled(reply, request._replace(body={}))
    arrived = [payload.get("delta", {}) for _, payload in events(Decoder().feed(body(timeline)))]
    assert "".join(delta.get("text", "") for delta in arrived) == scripted_text(reply)


@unhurried
@given(ANY, STREAMED, st.lists(st.integers(0, 2_000)))
def test_any_chunks_of_a_body_decode_alike(reply: Reply, request: Request, cuts: list[int]) -> None:
    data = body(compiled(reply, request))
    chunked: list[Message] = []
    decoder = Decoder()
    with suppress(FrameError):
        for start, end in pairwise([0, *sorted(cuts), len(data) + 2_000]):
            for message in decoder.messages(data[start:end]):
                chunked.append(message)  # noqa: PERF402  what came before the error is kept
    assert chunked == readable(data)


@unhurried
@given(replies(PACE, ENDS, FAULTS), REQUESTS)
def test_tokens_stay_within_what_the_request_allows(reply: Reply, request: Request) -> None:
    timeline = compiled(reply, request)
    sent = sum(beat.act.tokens for beat in timeline.beats if isinstance(beat.act, Send))
    assert sent <= timeline.tokens <= request.body["inferenceConfig"].get("maxTokens", timeline.tokens)


@unhurried
@given(CLEAN, STREAMED)
def test_a_clean_stream_keeps_the_order_of_events(reply: Reply, request: Request) -> None:
    said = events(Decoder().feed(body(compiled(reply, request))))
    assert [said[0][0], said[-2][0], said[-1][0]] == ["messageStart", "messageStop", "metadata"]
    open_, index = False, -1
    for event_type, payload in said[1:-2]:
        match event_type:
            case "contentBlockStart":
                assert "toolUse" in payload["start"]
                assert not open_
                open_, index = True, index + 1
            case "contentBlockDelta":
                index += not open_
                open_ = True
            case "contentBlockStop":
                assert open_
                open_ = False
        assert payload["contentBlockIndex"] == index
    assert not open_


@unhurried
@given(CLEAN, STREAMED, SEEDS)
def test_a_blocking_response_is_the_fold_of_the_stream(reply: Reply, request: Request, seed: str) -> None:
    streamed = events(Decoder().feed(body(compiled(reply, request, seed))))
    blocking = body(compiled(reply, request._replace(operation="Converse"), seed))
    told = json.loads(blocking)
    told["usage"] = {name: value for name, value in told["usage"].items() if "cache" not in name}
    assert told == fold(streamed)  # only Converse tells of the cache unasked


@unhurried
@given(CLEAN, STREAMED)
def test_the_usage_counts_the_tokens_that_were_sent(reply: Reply, request: Request) -> None:
    timeline = compiled(reply, request)
    usage = events(Decoder().feed(body(timeline)))[-1][1]["usage"]
    sent = sum(beat.act.tokens for beat in timeline.beats if isinstance(beat.act, Send))
    assert usage["outputTokens"] == sent == timeline.tokens
