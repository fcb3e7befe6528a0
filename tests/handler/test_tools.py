"""Running tools: every way it can go becomes an outcome, and none an exception."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from converse_handler.demo_tools import DEMO_TOOLS
from converse_handler.tools import FAILED, INVALID, MAX_RESULT, UNKNOWN, Outcome, Tool, ToolError, Tools
from converse_handler.turn import ToolCall


def perform(run: Callable[..., Any], input: Mapping[str, Any] | None = None) -> Outcome:
    """What comes of a tool with this body."""
    tool = Tool("it", "label", "description", {"type": "object"}, run)
    return Tools([tool]).perform(ToolCall("t", "it", {} if input is None else input), threading.Event())


def raising(error: Exception) -> Callable[..., Any]:
    def run(_input: Any, _cancelled: Any) -> Any:
        raise error

    return run


def test_an_object_goes_back_as_json() -> None:
    outcome = perform(lambda input, _: {"seen": input["n"]}, {"n": 1})
    assert outcome == Outcome(None, {"json": {"seen": 1}})
    assert outcome.block("t1") == {
        "toolResult": {"toolUseId": "t1", "content": [{"json": {"seen": 1}}], "status": "success"}
    }


@pytest.mark.parametrize("value", [[1, 2], "text", 1.5, None])
def test_any_other_value_is_wrapped(value: Any) -> None:
    assert perform(lambda *_: value).content == {"json": {"result": value}}


def test_a_result_that_is_too_long_is_cut() -> None:
    outcome = perform(lambda *_: {"text": "x" * 10 * MAX_RESULT})
    assert outcome.error is None
    assert MAX_RESULT < len(outcome.content["text"]) < MAX_RESULT + 100


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_a_result_that_is_no_json_is_a_failure(value: Any) -> None:
    assert perform(lambda *_: value) == FAILED


def test_an_exception_stays_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    outcome = perform(raising(LookupError("table subscriptions at db.internal")))
    assert outcome == FAILED
    assert outcome.block("t1")["toolResult"]["status"] == "error"
    assert "db.internal" not in json.dumps(outcome.block("t1"))
    assert "db.internal" in caplog.text


def test_a_tool_may_tell_the_model_what_is_wrong() -> None:
    assert perform(raising(ToolError("no such day"))) == Outcome("failed", {"text": "no such day"})


def test_an_unknown_tool_and_a_broken_input_run_nothing() -> None:
    cancelled = threading.Event()
    assert DEMO_TOOLS.perform(ToolCall("t", "delete_everything", {}), cancelled) == UNKNOWN
    assert DEMO_TOOLS.perform(ToolCall("t", "order_status", None), cancelled) == INVALID
    assert DEMO_TOOLS.label("delete_everything") == "Looking that up…"


@pytest.mark.parametrize(
    ("name", "input", "error"),
    [
        ("lookup_subscription", {"customer_id": "C-100"}, None),
        ("lookup_subscription", {"customer_id": "C-404"}, "failed"),
        ("lookup_subscription", {}, "failed"),
        ("order_status", {"order_id": "O-2001"}, None),
        ("order_status", {"order_id": 7}, "failed"),
        ("slow_report", {"seconds": 0}, None),
        ("slow_report", {"seconds": -1}, None),
        ("slow_report", {"seconds": "soon"}, "failed"),
    ],
)
def test_the_demo_tools(name: str, input: dict[str, Any], error: str | None) -> None:
    assert DEMO_TOOLS.perform(ToolCall("t", name, input), threading.Event()).error == error


def test_the_configuration_is_what_the_service_model_accepts() -> None:
    import botocore.session
    from botocore.validate import ParamValidator

    model = botocore.session.get_session().get_service_model("bedrock-runtime")
    shape = model.shape_for("ToolConfiguration")
    report = ParamValidator().validate(DEMO_TOOLS.config(), shape)
    assert not report.has_errors(), report.generate_report()


def test_tools_run_side_by_side_and_come_as_they_are_done() -> None:
    both = threading.Barrier(2, timeout=30)
    first_is_done = threading.Event()

    def slow(_input: Any, _cancelled: Any) -> str:
        both.wait()
        assert first_is_done.wait(30)
        return "slow"

    def fast(_input: Any, _cancelled: Any) -> str:
        both.wait()
        return "fast"

    async def main() -> list[str]:
        tools = Tools([Tool("slow", "", "", {}, slow), Tool("fast", "", "", {}, fast)])
        run = tools.run([ToolCall("1", "slow", {}), ToolCall("2", "fast", {})])
        names = [(await run.next())[0].name]
        first_is_done.set()
        return [*names, (await run.next())[0].name]

    assert asyncio.run(main()) == ["fast", "slow"]


def test_closing_tells_the_tools_and_waits_for_none_of_them() -> None:
    told = threading.Event()

    def waits(_input: Any, cancelled: threading.Event) -> None:
        if cancelled.wait(60):
            told.set()

    async def main() -> float:
        run = Tools([Tool("waits", "", "", {}, waits)]).run([ToolCall("1", "waits", {})])
        began = time.monotonic()
        run.close()
        return time.monotonic() - began

    assert asyncio.run(main()) < 5
    assert told.wait(10)
