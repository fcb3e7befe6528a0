"""One assistant message: what the browser is told of it, and what comes of it."""

from typing import Any

import pytest
from converse_handler.events import BlockStarted, BlockStopped, Event, Text, Thinking, Usage
from converse_handler.failures import Broken
from converse_handler.turn import KNOWN, STOP_REASONS, TRANSITIONS, Phase, Stopped, ToolCall, Turn

BedrockEvent = dict[str, Any]


def fed(*events: BedrockEvent, first_index: int = 0) -> tuple[Turn, list[Event]]:
    turn = Turn(first_index)
    return turn, [told for event in events for told in turn.feed(event)]


def calls_of(turn: Turn) -> tuple[ToolCall, ...]:
    end = turn.end()
    assert isinstance(end, tuple)
    return end


def test_text_opens_its_block_with_the_first_delta(says: Any) -> None:
    turn, told = fed(*says.answer("Your ", "plan"))
    assert told == [BlockStarted(0, "text"), Text(0, "Your "), Text(0, "plan"), BlockStopped(0)]
    assert turn.end() == Stopped("end_turn", truncated=False)
    assert turn.usage == Usage(7, 3)


def test_indices_go_on_where_the_last_turn_ended(says: Any) -> None:
    turn, told = fed(*says.answer("Hi"), first_index=4)
    assert told == [BlockStarted(4, "text"), Text(4, "Hi"), BlockStopped(4)]
    assert turn.next_index == 5


def test_empty_deltas_are_no_block(says: Any) -> None:
    _, told = fed(*says.answer("", ""))
    assert told == []
    _, told = fed(*says.answer("", "Hi", ""))
    assert told == [BlockStarted(0, "text"), Text(0, "Hi"), BlockStopped(0)]


def test_a_block_that_bedrock_never_stops_is_closed_by_the_end_of_the_message(says: Any) -> None:
    _, told = fed(says.start, says.text("Hi"), says.stop())
    assert told[-1] == BlockStopped(0)


def test_interleaved_blocks_become_one_after_the_other(says: Any) -> None:
    _, told = fed(says.start, says.text("a", 0), says.text("b", 1), says.text("c", 0))
    assert told == [
        BlockStarted(0, "text"),
        Text(0, "a"),
        BlockStopped(0),
        BlockStarted(1, "text"),
        Text(1, "b"),
        BlockStopped(1),
        BlockStarted(2, "text"),
        Text(2, "c"),
    ]


def test_thinking_is_told_apart_and_its_signature_is_not_told(says: Any) -> None:
    _, told = fed(
        says.start,
        says.reasoning(text="Hm."),
        says.reasoning(signature="c2ln"),
        says.block_stop(0),
        says.text("Yes.", 1),
    )
    assert told == [
        BlockStarted(0, "thinking"),
        Thinking(0, "Hm."),
        BlockStopped(0),
        BlockStarted(1, "text"),
        Text(1, "Yes."),
    ]


def test_redacted_thinking_shows_nothing(says: Any) -> None:
    _, told = fed(says.start, says.reasoning(redactedContent=b"\x00\x01"), says.block_stop(0))
    assert told == []


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ((), {}),
        (("",), {}),
        (('{"a": ', '"b"}'), {"a": "b"}),
        (("{}",), {}),
        (('{"a": "b',), None),
        (("[1]",), None),
        (('"text"',), None),
        (("null",), None),
        (("[" * 100_000,), None),
    ],
)
def test_a_tools_input_is_an_object_or_nothing(
    says: Any, pieces: tuple[str, ...], expected: dict[str, str] | None
) -> None:
    turn, told = fed(*says.calls(says.tool("look", *pieces, id="t1")))
    assert told == []
    assert calls_of(turn) == (ToolCall("t1", "look", expected),)


def test_two_tools_keep_their_inputs_apart_even_interleaved(says: Any) -> None:
    one, two = says.tool("a", '{"n":', "1}", index=1), says.tool("b", '{"n":', "2}", index=2)
    mixed = [event for pair in zip(one, two, strict=True) for event in pair]
    turn, _ = fed(says.start, *mixed, says.stop("tool_use"))
    assert [(call.name, call.input) for call in calls_of(turn)] == [("a", {"n": 1}), ("b", {"n": 2})]


def test_a_tool_whose_block_was_never_stopped_is_not_complete(says: Any) -> None:
    turn, _ = fed(says.start, *says.tool("a", "{}")[:-1], says.stop("tool_use"))
    assert calls_of(turn)[0].input is None


def test_input_for_a_tool_that_never_started_is_passed_over(says: Any) -> None:
    turn, _ = fed(says.start, *says.tool("a", "{}")[1:], says.stop("tool_use"))
    with pytest.raises(Broken, match="malformed_output"):
        turn.end()


def test_bedrocks_own_tools_are_not_ours_to_run(says: Any) -> None:
    start = {"toolUse": {"toolUseId": "t", "name": "nova_grounding", "type": "server_tool_use"}}
    turn, _ = fed(
        says.start,
        {"contentBlockStart": {"start": start, "contentBlockIndex": 0}},
        *says.tool("nova_grounding", "{}")[1:],
        says.text("Found.", 1),
        says.stop(),
    )
    assert turn.end() == Stopped("end_turn", truncated=False)


@pytest.mark.parametrize(
    ("reason", "truncated"),
    [
        ("end_turn", False),
        ("stop_sequence", False),
        ("guardrail_intervened", False),
        ("content_filtered", False),
        ("max_tokens", True),
        ("model_context_window_exceeded", True),
    ],
)
def test_a_message_that_ends_the_answer(says: Any, reason: str, truncated: bool) -> None:
    turn, _ = fed(*says.answer("Hi", reason=reason))
    assert turn.end() == Stopped(reason, truncated)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("malformed_model_output", "malformed_output"),
        ("malformed_tool_use", "malformed_output"),
        ("tool_use", "malformed_output"),  # and no tool
        ("something_new", "model_error"),
    ],
)
def test_a_message_that_is_no_answer(says: Any, reason: str, code: str) -> None:
    turn, _ = fed(*says.answer("Hi", reason=reason))
    with pytest.raises(Broken) as broken:
        turn.end()
    assert broken.value.code == code


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded", "guardrail_intervened"])
def test_a_tool_call_that_a_limit_cut_is_not_run(says: Any, reason: str) -> None:
    turn, _ = fed(*says.calls(says.tool("a", '{"n":'), reason=reason))
    assert isinstance(turn.end(), Stopped)


@pytest.mark.parametrize("events", ["end_turn after a tool", "one id twice"])
def test_contradictions_are_malformed(says: Any, events: str) -> None:
    if events == "one id twice":
        turn, _ = fed(*says.calls(says.tool("a", id="t"), says.tool("b", index=1, id="t")))
    else:
        turn, _ = fed(*says.calls(says.tool("a"), reason="end_turn"))
    with pytest.raises(Broken, match="malformed_output"):
        turn.end()


def test_nothing_but_message_stop_makes_a_message_whole(says: Any) -> None:
    whole = says.answer("Hi")
    for end in range(whole.index(says.stop())):
        turn, _ = fed(*whole[:end])
        with pytest.raises(Broken, match="stream_interrupted"):
            turn.end()
    turn, _ = fed(says.start, says.text("Hi"), says.usage())
    with pytest.raises(Broken, match="stream_interrupted"):
        turn.end()


def test_every_known_event_is_refused_where_the_table_has_no_place_for_it(says: Any) -> None:
    before = {Phase.WAITING: [], Phase.SPEAKING: [says.start], Phase.STOPPED: [says.start, says.stop()]}
    body: BedrockEvent = {
        "contentBlockIndex": 0,
        "delta": {"text": "x"},
        "start": {},
        "stopReason": "end_turn",
    }
    for phase, events in before.items():
        for name in KNOWN:
            turn, _ = fed(*events)
            if (phase, name) in TRANSITIONS:
                turn.feed({name: body})
            else:
                with pytest.raises(Broken, match="stream_corrupted"):
                    turn.feed({name: body})


@pytest.mark.parametrize(
    "name", ["contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop"]
)
def test_a_body_without_its_members_is_corrupt(says: Any, name: str) -> None:
    turn, _ = fed(says.start)
    with pytest.raises(Broken, match="stream_corrupted"):
        turn.feed({name: {}})


def test_a_tool_that_starts_twice_in_one_block_is_corrupt(says: Any) -> None:
    turn, _ = fed(says.start, *says.tool("a"))
    with pytest.raises(Broken, match="stream_corrupted"):
        turn.feed(says.tool("a")[0])


@pytest.mark.parametrize(
    "event",
    [
        {"somethingNew": {"contentBlockIndex": 0}},
        {"SDK_UNKNOWN_MEMBER": {"name": "somethingNew"}},
        {"contentBlockDelta": {"delta": {"citation": {"title": "x"}}, "contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"SDK_UNKNOWN_MEMBER": {"name": "x"}}, "contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"reasoningContent": {"new": "x"}}, "contentBlockIndex": 0}},
        {"contentBlockStart": {"start": {"toolResult": {"toolUseId": "t"}}, "contentBlockIndex": 0}},
    ],
)
def test_what_is_unknown_is_passed_over(says: Any, event: BedrockEvent) -> None:
    turn, told = fed(says.start, event, says.text("Hi", 1), says.stop())
    assert told == [BlockStarted(0, "text"), Text(0, "Hi"), BlockStopped(0)]
    assert turn.end() == Stopped("end_turn", truncated=False)


@pytest.mark.parametrize("metadata", [{}, {"usage": {}}, {"usage": {"inputTokens": 1}}, {"metrics": {}}])
def test_usage_that_is_not_there_is_not_invented(says: Any, metadata: BedrockEvent) -> None:
    turn, _ = fed(says.start, says.stop(), {"metadata": metadata})
    assert turn.usage is None


def test_the_message_goes_back_as_it_came(says: Any) -> None:
    turn, _ = fed(
        says.start,
        says.reasoning(0, text="I need "),
        says.reasoning(0, text="it."),
        says.reasoning(0, signature="c2ln"),
        says.block_stop(0),
        says.reasoning(1, redactedContent=b"\x00"),
        says.reasoning(2, signature="alone"),
        says.reasoning(3, text="unsigned"),
        says.reasoning(4, text=""),
        says.text("", 5),
        says.text("Let me ", 6),
        says.text("look.", 6),
        *says.tool("look", '{"n": 1}', index=7, id="t1"),
        *says.tool("broken", '{"n"', index=8, id="t2"),
        says.stop("tool_use"),
    )
    assert turn.message() == {
        "role": "assistant",
        "content": [
            {"reasoningContent": {"reasoningText": {"text": "I need it.", "signature": "c2ln"}}},
            {"reasoningContent": {"redactedContent": b"\x00"}},
            {"reasoningContent": {"reasoningText": {"text": "", "signature": "alone"}}},
            {"reasoningContent": {"reasoningText": {"text": "unsigned"}}},
            {"text": "Let me look."},
            {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"n": 1}}},
            {"toolUse": {"toolUseId": "t2", "name": "broken", "input": {}}},
        ],
    }


def test_every_stop_reason_of_the_service_model_has_its_place() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("bedrock-runtime")
    assert set(model.shape_for("StopReason").enum) <= set(STOP_REASONS)
