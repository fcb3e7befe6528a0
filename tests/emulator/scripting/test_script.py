"""A performed reply: which events come, when, and what ends them. Written as one line an event."""

from collections.abc import Mapping
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.language.faults import Corrupt, Cut
from converse_emulator.language.scenario import (
    FOREVER,
    Event,
    Every,
    Finish,
    Gate,
    Hangup,
    Metadata,
    Reasoning,
    Refuse,
    Reset,
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
from converse_emulator.playing import acts
from converse_emulator.scripting.performance import Emit, Moment
from converse_emulator.scripting.script import perform

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "us.amazon.nova-2-lite-v1:0"
THROTTLED = Throw("throttlingException")


def request(model_id: str = CLAUDE, **inference: Any) -> Request:
    body = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "inferenceConfig": inference}
    return Request("ConverseStream", model_id, {}, body)


def fault_told(fault: object) -> str:
    match fault:
        case Corrupt(what):
            return str(what)
        case Cut(at):
            return f"cut {at}"
        case _:
            return type(fault).__name__.lower()


def moments(*steps: Step, to: Request | None = None) -> tuple[Moment, ...]:
    return perform(steps, to or request(), Random(0)).moments


def told(*steps: Step, to: Request | None = None) -> list[str]:
    """A performance in words."""
    return [_words(moment) for moment in moments(*steps, to=to)]


def _words(moment: Moment) -> str:
    match moment.what:
        case Emit("messageStart"):
            words = "start"
        case Emit("messageStop", body):
            words = f"stop {body['stopReason']}"
        case Emit("metadata"):
            words = "metadata"
        case Emit("contentBlockStart", body):
            words = f"{body['contentBlockIndex']} start {body['start']['toolUse']['name']}"
        case Emit("contentBlockStop", body):
            words = f"{body['contentBlockIndex']} stop"
        case Emit("contentBlockDelta", body):
            words = f"{body['contentBlockIndex']} {_delta(body['delta'])}"
        case Emit(type):
            words = type
        case Throw(name) | Refuse(name):
            words = name
        case acts.Gate(name):
            words = f"gate {name}"
        case ending:
            words = type_name(ending)
    faults = [fault_told(fault) for fault in moment.faults]
    return " ".join([words, *faults, *(["!"] if moment.injected else [])])


def type_name(value: object) -> str:
    return type(value).__name__.lower()


def _delta(delta: Mapping[str, Any]) -> str:
    match delta:
        case {"text": text}:
            return f"'{text}'"
        case {"toolUse": {"input": text}}:
            return f"<{text}>"
        case {"reasoningContent": {"text": text}}:
            return f"({text})"
        case {"reasoningContent": {"signature": _}}:
            return "signature"
        case _:
            return "+".join(delta)


def times(*steps: Step, to: Request | None = None) -> list[float]:
    return [round(moment.at, 6) for moment in moments(*steps, to=to)]


def payload(event_type: str, *steps: Step, to: Request | None = None) -> Mapping[str, Any]:
    """The payload of the only event of that type."""
    (found,) = [
        moment.what.body
        for moment in moments(*steps, to=to)
        if isinstance(moment.what, Emit) and moment.what.type == event_type
    ]
    return found


# ---------------------------------------------------------------------------------- what is not said


def test_text_alone_is_a_whole_answer() -> None:
    assert told(Text("Hi there")) == [
        "start", "0 'Hi '", "0 'there'", "0 stop", "stop end_turn", "metadata", "finish",
    ]  # fmt: skip


def test_nothing_at_all_is_an_empty_answer() -> None:
    assert told() == ["start", "stop end_turn", "metadata", "finish"]


def test_adjacent_texts_share_a_block_also_across_pace() -> None:
    assert told(Text("a"), Wait(1), Gate("g"), Every(1), SplitBy("whole"), Text("b"))[:4] == [
        "start", "0 'a'", "gate g", "0 'b'",
    ]  # fmt: skip


def test_blocks_are_numbered_and_only_tool_calls_are_started() -> None:
    assert told(Reasoning("Hm"), Text("So"), ToolUse("now"), Text("Then"), ToolUse("now"), Text("")) == [
        "start",
        "0 (Hm)", "0 signature", "0 stop",
        "1 'So'", "1 stop",
        "2 start now", "2 <>", "2 stop",
        "3 'Then'", "3 stop",
        "4 start now", "4 <>", "4 stop",
        "5 ''", "5 stop",
        "stop tool_use", "metadata", "finish",
    ]  # fmt: skip


def test_two_reasoning_steps_are_two_blocks() -> None:
    assert told(Reasoning("a", ""), Reasoning(redacted=b"secret"))[1:5] == [
        "0 (a)", "0 stop", "1 reasoningContent", "1 stop",
    ]  # fmt: skip


def test_a_stop_reason_that_is_said_counts() -> None:
    assert "stop guardrail_intervened" in told(ToolUse("now"), Stop("guardrail_intervened"))
    body = payload("messageStop", Stop("stop_sequence", {"delta": {"stop_sequence": "END"}}))
    assert body["additionalModelResponseFields"] == {"delta": {"stop_sequence": "END"}}
    assert "additionalModelResponseFields" not in payload("messageStop", Stop("end_turn"))


# --------------------------------------------------------------------------------------------- usage


def test_usage_is_counted() -> None:
    usage = payload("metadata", Text("Hi there"))["usage"]
    assert list(usage) == ["inputTokens", "outputTokens", "serverToolUsage", "totalTokens"]
    assert usage["outputTokens"] == 2
    assert usage["totalTokens"] == usage["inputTokens"] + 2
    assert usage["serverToolUsage"] == {}


@pytest.mark.parametrize("split", ["tokens", "words", "characters", "whole", ("Your sub", "scription")])
def test_tokens_are_the_same_however_the_text_is_cut(split: Any) -> None:
    performance = perform((Text("Your subscription", split=split),), request(), Random(0))
    assert performance.tokens == 3


def test_usage_replaces_what_is_counted_and_the_total_follows() -> None:
    usage = payload("metadata", Usage({"inputTokens": 40}), Text("Hi there"))["usage"]
    assert (usage["inputTokens"], usage["totalTokens"]) == (40, 42)
    assert payload("metadata", Usage({"totalTokens": 7}))["usage"]["totalTokens"] == 7


def test_cache_members_come_under_both_names() -> None:
    usage = payload("metadata", Usage({"inputTokens": 5, "cacheReadInputTokens": 100}), Text("Hi"))["usage"]
    assert usage["cacheReadInputTokenCount"] == usage["cacheReadInputTokens"] == 100
    assert usage["cacheWriteInputTokenCount"] == usage["cacheWriteInputTokens"] == 0
    assert usage["totalTokens"] == 106


def test_a_cache_point_in_the_request_brings_cache_members() -> None:
    body = {"system": [{"text": "x"}, {"cachePoint": {"type": "default"}}], "messages": []}
    usage = payload("metadata", Text("Hi"), to=Request("ConverseStream", CLAUDE, {}, body))["usage"]
    assert usage["cacheReadInputTokens"] == 0


def test_metadata_has_the_members_that_are_said_and_the_scripted_time() -> None:
    body = payload("metadata", Wait(0.8), Text("Hi"), Metadata({"trace": {"x": 1}}), Wait(0.2))
    assert body["trace"] == {"x": 1}
    assert body["metrics"] == {"latencyMs": 1000}


# ---------------------------------------------------------------------------------------------- pace


def test_the_first_delta_comes_at_once_and_each_further_one_later() -> None:
    assert times(Every(0.5), Text("a b"), Text("c")) == [0, 0, 0.5, 1, 1, 1, 1, 1]


def test_every_runs_across_steps_and_blocks() -> None:
    steps = (Text("a", every=1), Reasoning("b", "", every=2), ToolUse("now", every=3))
    assert list(zip(told(*steps), times(*steps), strict=True))[:7] == [
        ("start", 0), ("0 'a'", 0), ("0 stop", 2), ("1 (b)", 2), ("1 stop", 5), ("2 start now", 5),
        ("2 <>", 5),
    ]  # fmt: skip


def test_waits_add_to_the_pace() -> None:
    assert times(Wait(2), Text("a", every=1), Wait(3), Text("b", every=1)) == [2, 2, 6, 6, 6, 6, 6]


def test_a_wait_at_the_end_delays_the_end() -> None:
    assert list(zip(told(Text("a"), Wait(3)), times(Text("a"), Wait(3)), strict=True))[1:3] == [
        ("0 'a'", 0), ("0 stop", 3),
    ]  # fmt: skip


def test_a_span_is_drawn_anew_each_time() -> None:
    drawn = times(Text("a b c d", every=Span(1, 2)))[1:5]
    gaps = {later - sooner for sooner, later in pairwise(drawn)}
    assert len(gaps) == 3
    assert all(1 <= gap <= 2 for gap in gaps)


def test_waiting_for_ever_is_the_end() -> None:
    assert told(Text("a"), Wait(FOREVER), Text("b"), Hangup()) == ["start", "0 'a'", "hold !"]
    assert told(Wait(FOREVER)) == ["hold !"]


# ---------------------------------------------------------------------------- what models send how


def test_claude_cuts_the_input_of_a_tool() -> None:
    assert told(ToolUse("find", {"city": "Paris", "n": 1}))[2:-4] == [
        "0 <>", '0 <{">', "0 <city>", '0 <": >', '0 <">', "0 <Paris>", '0 <", >', '0 <">', "0 <n>", '0 <": >',
        "0 <1>", "0 <}>",
    ]  # fmt: skip


def test_nova_sends_the_input_of_a_tool_whole() -> None:
    assert told(ToolUse("find", {"city": "Zürich", "n": 1}), to=request(NOVA))[2:-4] == [
        '0 <{"city":"Zürich","n":1}>'
    ]
    assert told(ToolUse("find"), to=request(NOVA))[2:-4] == ["0 <{}>"]


def test_raw_input_is_sent_as_it_is() -> None:
    assert told(ToolUse("find", '{"city": ', split=('{"ci', 'ty": ')))[2:-4] == [
        "0 <>",
        '0 <{"ci>',
        '0 <ty": >',
    ]
    assert told(ToolUse("find", ""))[2:-4] == ["0 <>"]


def test_only_claude_signs_its_reasoning() -> None:
    assert "0 signature" in told(Reasoning("Hm"))
    assert "0 signature" not in told(Reasoning("Hm"), to=request("us.deepseek.r1-v1:0"))
    assert "0 signature" in told(Reasoning("Hm", "c2ln"), to=request("us.deepseek.r1-v1:0"))
    assert "0 signature" not in told(Reasoning("Hm", ""))


def test_ids_are_of_bedrocks_form_unless_given() -> None:
    ids = [
        payload("contentBlockStart", ToolUse("find", id=given))["start"]["toolUse"]["toolUseId"]
        for given in (None, "x")
    ]
    assert ids[0].startswith("tooluse_")
    assert len(ids[0]) == 8 + 22
    assert ids[0][8:].isalnum()
    assert ids[1] == "x"


# ------------------------------------------------------------------------------- limits of the request


def test_max_tokens_end_the_generation() -> None:
    limited = told(Text("one two three four"), Wait(9), Stop("end_turn"), to=request(maxTokens=2))
    assert limited == ["start", "0 'one '", "0 'two '", "0 stop", "stop max_tokens", "metadata", "finish"]


def test_an_answer_of_exactly_the_allowed_length_is_complete() -> None:
    assert "stop end_turn" in told(Text("one two"), to=request(maxTokens=2))
    assert told(Text("one two"), ToolUse("now"), to=request(maxTokens=2))[-4:] == [
        "0 stop", "stop max_tokens", "metadata", "finish",
    ]  # fmt: skip


def test_max_tokens_cut_a_piece_and_a_tools_input() -> None:
    assert told(Text("one two three", split="whole"), to=request(maxTokens=2))[1] == "0 'one two '"
    assert told(ToolUse("find", {"a": 1}), to=request(maxTokens=3))[2:] == [
        "0 <>", '0 <{">', "0 <a>", "0 stop", "stop max_tokens", "metadata", "finish",
    ]  # fmt: skip
    assert told(ToolUse("find", {"a": 1}), to=request(maxTokens=1))[1:4] == ["0 start find", "0 <>", "0 stop"]


def test_literal_text_is_exempt_from_the_limit_but_uses_it_up() -> None:
    assert told(text_event("one two three"), Text("four"), to=request(maxTokens=2))[1:4] == [
        "0 'one two three'", "0 stop", "stop max_tokens",
    ]  # fmt: skip


def test_reasoning_that_is_cut_is_not_signed() -> None:
    assert told(Reasoning("one two"), Text("x"), to=request(maxTokens=1))[1:4] == [
        "0 (one )", "0 stop", "stop max_tokens",
    ]  # fmt: skip


def test_a_stop_sequence_ends_the_text_before_it() -> None:
    stopped = told(Text("one END two"), Text("three"), to=request(stopSequences=["END"]))
    assert stopped == ["start", "0 'one '", "0 stop", "stop stop_sequence", "metadata", "finish"]


def test_a_stop_sequence_is_found_across_deltas_and_steps() -> None:
    steps = (Text("one E", split="characters"), Wait(5), Text("ND two"))
    assert told(*steps, to=request(stopSequences=["x", "END"]))[1:6] == [
        "0 'o'", "0 'n'", "0 'e'", "0 ' '", "0 stop",
    ]  # fmt: skip


def test_the_stop_sequence_that_is_complete_first_counts() -> None:
    assert told(Text("abcd"), to=request(stopSequences=["bcd", "c"]))[1] == "0 'ab'"
    assert told(Text("abcd"), to=request(stopSequences=["c", "bc"]))[1] == "0 'a'"


def test_a_text_that_begins_with_a_stop_sequence_is_none() -> None:
    assert told(Text("END two"), to=request(stopSequences=["END"])) == [
        "start", "stop stop_sequence", "metadata", "finish",
    ]  # fmt: skip


def test_a_stop_sequence_does_not_reach_over_other_blocks() -> None:
    assert "stop tool_use" in told(Text("E"), ToolUse("now"), Text("ND"), to=request(stopSequences=["END"]))


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (THROTTLED, ["throttlingException !", "finish !"]),
        (Finish(), ["finish !"]),
        (Hangup(), ["hangup !"]),
        (Reset(), ["reset !"]),
        (Cut(5), ["0 stop cut 5 !", "finish !"]),
        (Corrupt("message_crc"), ["0 stop message_crc !", "stop max_tokens", "metadata", "finish"]),
    ],
)
def test_faults_outlast_a_limit(fault: Step, end: list[str]) -> None:
    steps = (Text("one two three"), Wait(5), Text("four"), Stop("end_turn"), Gate("g"), fault)
    assert told(*steps, to=request(maxTokens=1))[2:] == end
    assert times(*steps, to=request(maxTokens=1))[-1] == 0


# ---------------------------------------------------------------------------------------------- faults


def test_an_exception_ends_the_response_without_a_stop() -> None:
    assert told(Text("a"), THROTTLED, Text("b")) == ["start", "0 'a'", "throttlingException !", "finish !"]
    assert told(THROTTLED) == ["throttlingException !", "finish !"]


def test_after_an_exception_pace_and_connection_go_on() -> None:
    steps = (THROTTLED, Wait(2), Gate("g"), Text("a"), Hangup())
    assert told(*steps) == ["throttlingException !", "gate g", "hangup !"]
    assert times(*steps) == [0, 2, 2]


def test_an_exception_after_the_stop() -> None:
    assert told(Text("a"), Stop("end_turn"), THROTTLED)[3:] == [
        "stop end_turn", "throttlingException !", "finish !",
    ]  # fmt: skip


@pytest.mark.parametrize("end", [Finish(), Hangup(), Reset()])
def test_a_connection_step_ends_the_response_where_it_stands(end: Step) -> None:
    assert told(Text("a"), end, Text("b"), THROTTLED) == ["start", "0 'a'", f"{type_name(end)} !"]
    assert told(end) == [f"{type_name(end)} !"]


def test_the_next_frame_is_corrupted() -> None:
    assert told(Text("a"), Corrupt("prelude_crc"), Text("b c"))[1:4] == [
        "0 'a'",
        "0 'b ' prelude_crc !",
        "0 'c'",
    ]
    assert told(Corrupt("message_crc"), Text("a"))[0] == "start message_crc !"
    assert told(Corrupt("message_crc"), THROTTLED)[0] == "throttlingException message_crc !"


def test_the_next_frame_is_cut_and_nothing_follows_it() -> None:
    steps = (Text("a"), Cut(0.5), Text("b c", every=1), Wait(5), Hangup())
    assert told(*steps) == ["start", "0 'a'", "0 'b ' cut 0.5 !", "hangup !"]
    assert times(*steps) == [0, 0, 1, 6]


def test_without_more_content_the_end_of_the_message_is_cut() -> None:
    assert told(Text("a"), Cut(20)) == ["start", "0 'a'", "0 stop cut 20 !", "finish !"]
    assert told(Cut(20), Reset()) == ["start cut 20 !", "reset !"]
    assert told(Stop("end_turn"), Cut(20))[2:] == ["metadata cut 20 !", "finish !"]


def test_a_cut_frame_comes_before_the_silence_after_it() -> None:
    steps = (Text("a"), Cut(20), Wait(5), Hangup())
    assert list(zip(told(*steps), times(*steps), strict=True))[2:] == [
        ("0 stop cut 20 !", 0),
        ("hangup !", 5),
    ]
    assert told(Text("a"), Cut(20), Wait(FOREVER))[2:] == ["0 stop cut 20 !", "hold !"]


def test_a_cut_that_waits_for_dropped_content_befalls_the_end() -> None:
    steps = (Text("one two"), Cut(20), Text("three"), Hangup())
    assert told(*steps, to=request(maxTokens=1))[2:] == ["0 stop cut 20 !", "hangup !"]


def test_a_cut_with_nothing_left_to_send_cuts_nothing() -> None:
    said = (Event("messageStop", {"stopReason": "end_turn"}), Event("metadata", {}))
    assert told(*said, Cut(20), Hangup())[1:] == ["stop end_turn", "metadata", "hangup !"]


def test_a_refusal_is_nothing_else() -> None:
    steps = (Wait(1), Text("a", every=5), Gate("g"), Refuse("ThrottlingException"), Text("b"))
    assert told(*steps) == ["gate g", "ThrottlingException !"]
    assert times(*steps) == [1, 1]


# -------------------------------------------------------------------------------------- literal events


def text_event(text: str, index: int = 0) -> Event:
    return Event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text}})


def test_literal_events_replace_what_would_be_implied() -> None:
    said = (
        Event("messageStart", {"role": "assistant"}),
        text_event("a"),
        Event("contentBlockStop", {"contentBlockIndex": 0}),
        Event("messageStop", {"stopReason": "odd"}),
        Event("metadata", {}),
    )
    assert told(*said) == ["start", "0 'a'", "0 stop", "stop odd", "metadata", "finish"]


def test_around_a_literal_event_the_rest_is_still_implied() -> None:
    assert told(text_event("a")) == ["start", "0 'a'", "0 stop", "stop end_turn", "metadata", "finish"]
    assert told(Text("a"), Event("messageStop", {"stopReason": "odd"})) == [
        "start", "0 'a'", "0 stop", "stop odd", "metadata", "finish",
    ]  # fmt: skip


def test_literal_deltas_are_paced_and_counted() -> None:
    steps = (Every(1), text_event("a"), text_event("b c"), Text("d"))
    assert times(*steps)[1:4] == [0, 1, 2]
    assert perform(steps, request(), Random(0)).tokens == 4


def test_text_joins_the_block_of_a_citation() -> None:
    citation = Event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"citation": {"title": "x"}}})
    assert told(citation, Text("a"))[1:4] == ["0 citation", "0 'a'", "0 stop"]


def test_an_unknown_event_does_not_disturb_the_block() -> None:
    assert told(Text("a"), Event("pingEvent", {}), Text("b"))[1:5] == [
        "0 'a'",
        "pingEvent",
        "0 'b'",
        "0 stop",
    ]


def test_literal_blocks_may_interleave_and_stay_open() -> None:
    def start(index: int) -> Event:
        tool = {"name": f"t{index}", "toolUseId": "x"}
        return Event("contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": tool}})

    def more(index: int) -> Event:
        return Event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"toolUse": {"input": "{}"}}})

    stop = Event("messageStop", {"stopReason": "x"})
    assert told(Text("a"), start(1), start(2), more(1), more(2), stop) == [
        "start", "0 'a'", "0 stop", "1 start t1", "2 start t2", "1 <{}>", "2 <{}>",
        "stop x", "metadata", "finish",
    ]  # fmt: skip
    assert told(start(0), more(0), Text("b"))[3:] == [
        "0 stop", "1 'b'", "1 stop", "stop tool_use", "metadata", "finish",
    ]  # fmt: skip


def test_literal_metadata_comes_after_the_stop_unless_the_script_ends_otherwise() -> None:
    metadata = Event("metadata", {"usage": {}})
    assert told(Text("a"), metadata) == ["start", "0 'a'", "0 stop", "stop end_turn", "metadata", "finish"]
    assert told(Text("a"), metadata, Finish()) == ["start", "0 'a'", "metadata", "finish !"]


@pytest.mark.parametrize(
    "body", [{}, {"contentBlockIndex": "x", "delta": 5}, {"delta": {"text": 7}}, {"start": []}]
)
def test_a_literal_event_may_be_nonsense(body: dict[str, Any]) -> None:
    for event_type in (
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ):
        performed = moments(Text("a"), Event(event_type, body), Text("b"))
        assert Emit(event_type, body) in [moment.what for moment in performed]
