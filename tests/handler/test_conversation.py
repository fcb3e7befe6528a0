"""Whole answers in virtual time: retries, timeouts, tool rounds, and always exactly one end."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, EventStreamError
from converse_handler.conversation import Answer
from converse_handler.demo_tools import DEMO_TOOLS
from converse_handler.events import (
    BlockStarted,
    BlockStopped,
    Event,
    Failed,
    Finished,
    Started,
    Text,
    Thinking,
    ToolFinished,
    ToolStarted,
    Usage,
)
from converse_handler.settings import Settings
from converse_handler.tools import Tools
from urllib3.exceptions import ProtocolError

Ask = Callable[..., Any]
FOREVER = 1e6


def throttled(**headers: str) -> ClientError:
    meta: dict[str, Any] = {"HTTPStatusCode": 429, "HTTPHeaders": headers}
    error = {"Code": "ThrottlingException", "Message": "Too many requests"}
    return ClientError({"Error": error, "ResponseMetadata": meta}, "ConverseStream")


def in_stream(name: str) -> EventStreamError:
    return EventStreamError({"Error": {"Code": name, "Message": "x"}}, "ConverseStream")


def end(told: Any) -> tuple[str, bool, float]:
    """Code, partial and moment of the failure that ended it."""
    failure = told.events[-1]
    assert isinstance(failure, Failed), failure
    return failure.code, failure.partial, told.ended_at


def test_a_plain_answer(ask: Ask, says: Any) -> None:
    told = ask(says.answer("Your plan ", "renews."))
    assert told.events == [
        Started(told.answer.id),
        BlockStarted(0, "text"),
        Text(0, "Your plan "),
        Text(0, "renews."),
        BlockStopped(0),
        Finished("end_turn", False, Usage(7, 3)),
    ]
    assert told.answer.calls == 1
    assert told.model.calls[0].closed_at == 0


def test_what_bedrock_is_asked(ask: Ask, says: Any) -> None:
    told = ask(says.answer("Hi"), model_id="m", max_tokens=9, system_prompt="Be brief.")
    (request,) = told.model.requests
    assert request == {
        "modelId": "m",
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 9},
        "toolConfig": DEMO_TOOLS.config(),
    }


def test_every_event_is_passed_on_when_it_comes(ask: Ask, says: Any) -> None:
    told = ask([0.8, says.start, says.text("a"), 2.0, says.text("b"), 20.0, says.stop(), says.usage()])
    assert [(at, event.text) for at, event in told.moments if isinstance(event, Text)] == [
        (0.8, "a"),
        (2.8, "b"),
    ]
    assert told.ended_at == 22.8


# ------------------------------------------------------------------------------------------- timeouts


def test_nothing_within_the_first_byte_time(ask: Ask) -> None:
    told = ask([FOREVER])
    assert end(told) == ("first_byte_timeout", False, 3.0)
    assert [type(event) for event in told.events] == [Started, Failed]
    assert told.model.calls[0].closed_at == 3.0
    assert told.answer.calls == 1


def test_silence_between_two_events(ask: Ask, says: Any) -> None:
    told = ask([2.9, says.start, 29.9, says.text("Your "), FOREVER])
    code, partial, at = end(told)
    assert (code, partial) == ("between_bytes_timeout", True)
    assert at == pytest.approx(62.8)
    assert told.model.calls[0].closed_at == at
    assert told.events[-2] == BlockStopped(0)


def test_an_answer_that_never_ends_meets_the_total(ask: Ask, says: Any) -> None:
    told = ask([says.start, *[20.0, says.text("x")] * 100])
    assert end(told) == ("total_timeout", True, 900.0)
    assert told.model.calls[0].closed_at == 900.0


def test_the_total_is_due_before_the_first_byte_when_it_is_shorter(ask: Ask) -> None:
    assert end(ask([FOREVER], total_timeout=1.0)) == ("total_timeout", False, 1.0)


def test_every_round_waits_for_a_first_byte_of_its_own(ask: Ask, says: Any) -> None:
    told = ask(
        [2.0, *says.calls(says.tool("order_status", '{"order_id":"O-1"}'))],
        [2.5, *says.answer("Shipped.")],
    )
    assert isinstance(told.events[-1], Finished)
    assert told.ended_at == 4.5


# -------------------------------------------------------------------------------------------- retries


def test_what_was_refused_is_tried_again_after_growing_pauses(ask: Ask, says: Any) -> None:
    told = ask([throttled()], [throttled()], says.answer("Hi"))
    assert isinstance(told.events[-1], Finished)
    assert told.answer.calls == 3
    assert told.ended_at == pytest.approx(0.1 + 0.2)  # half of the span each


def test_the_attempts_are_counted(ask: Ask) -> None:
    told = ask([throttled()])
    assert end(told)[:2] == ("throttled", False)
    assert told.answer.calls == 3
    assert all(call.closed_at is not None for call in told.model.calls)


def test_one_attempt_is_no_retry(ask: Ask) -> None:
    assert ask([throttled()], attempts=1).answer.calls == 1


@pytest.mark.parametrize(
    "error",
    [in_stream("validationException"), in_stream("modelStreamErrorException")],
)
def test_what_stays_wrong_is_not_tried_again(ask: Ask, error: Exception) -> None:
    assert ask([error]).answer.calls == 1


def test_a_first_frame_that_is_an_exception_may_be_tried_again(ask: Ask, says: Any) -> None:
    told = ask([in_stream("throttlingException")], says.answer("Hi"))
    assert isinstance(told.events[-1], Finished)


def test_an_empty_stream_may_be_tried_again(ask: Ask, says: Any) -> None:
    assert isinstance(ask([], says.answer("Hi")).events[-1], Finished)
    told = ask([])
    assert end(told)[:2] == ("stream_interrupted", False)
    assert told.answer.calls == 3


@pytest.mark.parametrize("items", ["start", "text"])
def test_after_the_first_event_nothing_is_tried_again(ask: Ask, says: Any, items: str) -> None:
    begun = [says.start, says.text("Hi")] if items == "text" else [says.start]
    told = ask([*begun, in_stream("throttlingException")], says.answer("Hi"))
    assert end(told)[:2] == ("throttled", items == "text")
    assert told.answer.calls == 1


def test_the_service_may_ask_for_a_longer_pause(ask: Ask, says: Any) -> None:
    told = ask([throttled(**{"x-amz-retry-after": "1500"})], says.answer("Hi"))
    assert told.ended_at == 1.5


def test_a_retry_that_would_come_too_late_is_not_waited_for(ask: Ask, says: Any) -> None:
    told = ask([throttled(**{"x-amz-retry-after": "5000"})], says.answer("Hi"))
    assert end(told) == ("throttled", False, 0.0)


def test_retries_share_the_first_byte_time(ask: Ask) -> None:
    told = ask([2.0, throttled()], [FOREVER])
    assert end(told) == ("first_byte_timeout", False, 3.0)
    assert told.answer.calls == 2


def test_a_later_round_is_not_tried_again(ask: Ask, says: Any) -> None:
    told = ask(says.calls(says.tool("order_status")), [throttled()])
    assert end(told)[:2] == ("throttled", False)
    assert told.answer.calls == 2


# --------------------------------------------------------------------------------------------- breaks


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ([], "stream_interrupted"),
        ([ProtocolError("Response ended prematurely")], "stream_interrupted"),
        ([ChecksumMismatch(1, 2)], "stream_corrupted"),
        ([in_stream("")], "internal"),
        ([{"messageStart": {"role": "assistant"}}], "stream_corrupted"),
    ],
)
def test_whatever_breaks_closes_the_block_and_says_so_once(
    ask: Ask, says: Any, broken: list[Any], code: str
) -> None:
    told = ask([says.start, says.text("Your "), *broken])
    assert told.events[1:4] == [BlockStarted(0, "text"), Text(0, "Your "), BlockStopped(0)]
    assert end(told)[:2] == (code, True)
    assert len(told.events) == 5
    assert told.model.calls[0].closed_at is not None


def test_an_exception_after_message_stop_is_still_a_failure(ask: Ask, says: Any) -> None:
    told = ask([*says.answer("Hi")[:-1], in_stream("internalServerException")])
    assert end(told)[:2] == ("internal", True)


def test_thinking_alone_is_no_part_of_an_answer(ask: Ask, says: Any) -> None:
    told = ask([says.start, says.reasoning(text="Hm.")])
    assert told.events[2] == Thinking(0, "Hm.")
    assert end(told)[:2] == ("stream_interrupted", False)


def test_a_bug_becomes_an_internal_failure_and_a_log_entry(
    ask: Ask, says: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Mad(Tools):
        def label(self, name: str) -> str:
            raise RuntimeError(f"a bug in {name}")

    told = ask(says.calls(says.tool("order_status")), tools=Mad([]))
    assert end(told)[:2] == ("internal", False)
    assert "a bug in order_status" in caplog.text
    assert isinstance(told.answer.cause, RuntimeError)


def test_the_cause_of_a_failure_is_kept_for_the_log(ask: Ask) -> None:
    error = throttled()
    assert ask([error]).answer.cause is error
    assert isinstance(ask([FOREVER]).answer.cause, TimeoutError)
    assert ask([]).answer.cause is None


# ---------------------------------------------------------------------------------------------- tools


def test_a_tool_round(ask: Ask, says: Any) -> None:
    call = says.tool("lookup_subscription", "", '{"customer_id": ', '"C-100"}', index=1, id="t1")
    told = ask(
        [
            says.start,
            says.text("Let me look. "),
            says.block_stop(),
            *call,
            says.stop("tool_use"),
            says.usage(),
        ],
        says.answer("It renews in March."),
    )
    assert told.events == [
        Started(told.answer.id),
        BlockStarted(0, "text"),
        Text(0, "Let me look. "),
        BlockStopped(0),
        ToolStarted("t1", "lookup_subscription", "Looking up your subscription…"),
        ToolFinished("t1", "lookup_subscription", None),
        BlockStarted(1, "text"),
        Text(1, "It renews in March."),
        BlockStopped(1),
        Finished("end_turn", False, Usage(14, 6)),
    ]
    asked, said, result = told.model.requests[1]["messages"]
    assert asked == {"role": "user", "content": [{"text": "hi"}]}
    assert said == {
        "role": "assistant",
        "content": [
            {"text": "Let me look. "},
            {
                "toolUse": {
                    "toolUseId": "t1",
                    "name": "lookup_subscription",
                    "input": {"customer_id": "C-100"},
                }
            },
        ],
    }
    found = {"customer_id": "C-100", "plan": "Plus", "renews_on": "2027-03-01"}
    assert result == {
        "role": "user",
        "content": [{"toolResult": {"toolUseId": "t1", "content": [{"json": found}], "status": "success"}}],
    }


def test_two_tools_answer_in_one_message_in_the_order_of_the_calls(
    ask: Ask, says: Any, timed_tools: Callable[..., Tools]
) -> None:
    told = ask(
        says.calls(
            says.tool("order_status", '{"order_id":"O-1"}', index=0, id="t1"),
            says.tool("lookup_subscription", '{"customer_id":"C-1"}', index=1, id="t2"),
        ),
        says.answer("Both."),
        tools=timed_tools(order_status=2.0, lookup_subscription=1.0),
    )
    assert [
        (at, type(event), event.id)
        for at, event in told.moments
        if isinstance(event, ToolStarted | ToolFinished)
    ] == [
        (0, ToolStarted, "t1"),
        (0, ToolStarted, "t2"),
        (1, ToolFinished, "t2"),
        (2, ToolFinished, "t1"),
    ]
    results = told.model.requests[1]["messages"][-1]["content"]
    assert [block["toolResult"]["toolUseId"] for block in results] == ["t1", "t2"]


@pytest.mark.parametrize(
    ("name", "pieces", "error"),
    [
        ("order_status", ('{"order_id": "O-',), "invalid_input"),
        ("order_status", ("[]",), "invalid_input"),
        ("delete_everything", ('{"sure":true}',), "unknown_tool"),
        ("lookup_subscription", ('{"customer_id":"C-404"}',), "failed"),
        ("order_status", (), "failed"),  # an empty input is {}, and the tool misses its order
    ],
)
def test_what_goes_wrong_in_a_tool_is_told_to_the_model(
    ask: Ask, says: Any, name: str, pieces: tuple[str, ...], error: str
) -> None:
    told = ask(says.calls(says.tool(name, *pieces, id="t1")), says.answer("Sorry."))
    assert told.events[2] == ToolFinished("t1", name, error)
    assert isinstance(told.events[-1], Finished)
    (result,) = told.model.requests[1]["messages"][-1]["content"]
    assert result["toolResult"]["status"] == "error"


def test_a_tool_that_hangs_is_given_up(ask: Ask, says: Any, timed_tools: Callable[..., Tools]) -> None:
    told = ask(
        says.calls(
            says.tool("slow_report", '{"seconds":0}', index=0, id="t1"),
            says.tool("order_status", '{"order_id":"O-1"}', index=1, id="t2"),
        ),
        says.answer("Later."),
        tools=timed_tools(slow_report=FOREVER),
    )
    ends = [(at, event) for at, event in told.moments if isinstance(event, ToolFinished)]
    assert ends == [
        (0, ToolFinished("t2", "order_status", None)),
        (10, ToolFinished("t1", "slow_report", "timeout")),
    ]
    assert isinstance(told.events[-1], Finished)
    results = told.model.requests[1]["messages"][-1]["content"]
    assert [block["toolResult"]["status"] for block in results] == ["error", "success"]


def test_the_total_covers_tools_too(ask: Ask, says: Any, timed_tools: Callable[..., Tools]) -> None:
    told = ask(
        says.calls(says.tool("slow_report", id="t1")),
        tools=timed_tools(slow_report=FOREVER),
        total_timeout=4.0,
    )
    assert told.events[-2] == ToolFinished("t1", "slow_report", "timeout")
    assert end(told) == ("total_timeout", False, 4.0)
    assert told.answer.calls == 1


@pytest.mark.parametrize("rounds", [1, 5])
def test_the_rounds_are_counted(ask: Ask, says: Any, rounds: int) -> None:
    told = ask(says.calls(says.tool("order_status")), tool_rounds=rounds)
    assert end(told)[0] == "tool_rounds_exceeded"
    assert told.answer.calls == rounds + 1
    assert sum(isinstance(event, ToolStarted) for event in told.events) == rounds


def cut_streams(says: Any) -> Iterable[list[Any]]:
    """A tool call whose stream breaks off: anywhere, in any way, or at maxTokens."""
    whole = [says.start, says.text("Hm. "), *says.tool("order_status", '{"order_id":', '"O-1"}', index=1)]
    for size in range(1, len(whole) + 1):
        yield whole[:size]
        yield [*whole[:size], ProtocolError("x")]
        yield [*whole[:size], FOREVER]
        yield [*whole[:size], says.stop("max_tokens"), says.usage()]
    yield [*whole, says.stop("tool_use"), in_stream("internalServerException")]
    yield [*whole, says.stop("malformed_tool_use")]


def test_nothing_is_dispatched_from_a_stream_that_was_cut(ask: Ask, says: Any) -> None:
    for script in cut_streams(says):
        told = ask(script)
        assert not any(isinstance(event, ToolStarted | ToolFinished) for event in told.events), script
        assert told.answer.calls == 1
        assert isinstance(told.events[-1], Failed | Finished)


def test_usage_is_unknown_when_one_round_did_not_tell_it(ask: Ask, says: Any) -> None:
    told = ask(says.calls(says.tool("order_status"))[:-1], says.answer("Hi"))
    assert told.events[-1] == Finished("end_turn", False, None)


# --------------------------------------------------------------------------------------- letting go


def cancelled_after(seconds: float, scripts: list[list[Any]], tools: Tools, scripted: Any) -> Any:
    """Listen for a while, then go away; gives the model and what was heard."""

    async def main() -> tuple[Any, list[Event]]:
        model = scripted(*scripts)
        answer = Answer([], model, tools, Settings())
        heard: list[Event] = []

        async def listen() -> None:
            async with aclosing(answer.events()) as events:
                async for event in events:
                    heard.append(event)  # noqa: PERF401 (what was heard counts, also when it breaks off)

        task = asyncio.create_task(listen())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return model, heard

    return main()


@pytest.mark.parametrize("seconds", [1.0, 5.0])
def test_who_goes_away_lets_go_of_bedrock_at_once(
    virtually: Callable[..., Any], scripted: Any, says: Any, timed_tools: Any, seconds: float
) -> None:
    script = [2.0, says.start, says.text("Hi"), FOREVER]
    model, heard = virtually(cancelled_after(seconds, [script], timed_tools(), scripted))
    assert model.calls[0].closed_at == seconds
    assert len(heard) == (0 if seconds < 2 else 3)


def test_who_goes_away_during_a_tool_lets_go_of_it(
    virtually: Callable[..., Any], scripted: Any, says: Any, timed_tools: Any
) -> None:
    script = says.calls(says.tool("slow_report", id="t1"))
    tools = timed_tools(slow_report=FOREVER)
    model, heard = virtually(cancelled_after(5.0, [script], tools, scripted))
    assert heard[-1] == ToolStarted("t1", "slow_report", "Preparing your report…")
    assert len(model.calls) == 1
    assert [run.closed_at for run in tools.runs] == [5.0]
