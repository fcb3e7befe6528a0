"""Checks of the calls of Bedrock and of tools, each with evidence on both sides."""

from collections.abc import Callable
from typing import Any

import converse_contract.checks as checks
import pytest
from converse_contract.case import Check, Evidence, Limits
from converse_contract.transcript import (
    BlockStarted,
    BlockStopped,
    Failed,
    Finished,
    Observed,
    Sentinel,
    Started,
    Text,
    ToolFinished,
    ToolStarted,
)

DONE = Finished("end_turn", False, 3, 5)
BROKEN = Failed("throttled", "Too busy.", True, True)
WHOLE = (Started(), BlockStarted(0, "text"), Text("Hel"), Text("lo"), BlockStopped(0), DONE, Sentinel())

SENT_AT = 1_000_000.0
TOOL = (ToolStarted("t1", "look"), ToolFinished("t1", "look", True))


def conversation(*messages: list[Any]) -> dict[str, Any]:
    """A call whose request holds these messages, the user's first."""
    roles = ("user", "assistant") if len(messages) == 1 else ("assistant", "user")
    told = [{"role": role, "content": content} for role, content in zip(roles, messages, strict=False)]
    return {"request": {"headers": {}, "body": {"messages": told}}}


def turn(*blocks: dict[str, Any]) -> list[Any]:
    return list(blocks)


def called(tool_id: str) -> dict[str, Any]:
    return {"toolUse": {"toolUseId": tool_id, "name": "look", "input": {}}}


def answer(*ids: str) -> list[Any]:
    return [{"toolResult": {"toolUseId": one, "content": []}} for one in ids]


def results(*statuses: str | None) -> dict[str, Any]:
    """A call that brings a tool result for each of these."""
    blocks = [
        {"toolResult": {"toolUseId": f"t{n}", **({"status": status} if status else {})}}
        for n, status in enumerate(statuses)
    ]
    return conversation(blocks)


def seen(*events: Observed, **members: Any) -> dict[str, Any]:
    """Evidence as `evidence_of` takes it; without events it is a whole answer."""
    return {"events": events or WHOLE, **members}


# the check, evidence for which it holds, and evidence for which it does not and what is then said
EXAMPLES: dict[str, tuple[Check, list[dict[str, Any]], list[tuple[dict[str, Any], str]]]] = {
    "calls": (
        checks.calls(2),
        [seen(exchanges=({}, {}))],
        [(seen(), "1: ConverseStream → 200, finished"), (seen(exchanges=()), "0")],
    ),
    "at_most_calls": (
        checks.at_most_calls(2),
        [seen(), seen(exchanges=({}, {}))],
        [(seen(exchanges=()), "0"), (seen(exchanges=[{}] * 3), "3: ")],
    ),
    "within_attempts": (
        checks.within_attempts,
        [seen(exchanges=[{}] * 2, limits=Limits(attempts=2))],
        [(seen(exchanges=[{}] * 3, limits=Limits(attempts=2)), "3: ")],
    ),
    "never_called_again_after_text": (
        checks.never_called_again_after_text,
        [
            seen(Text("a"), exchanges=({}, {"started_at": SENT_AT + 0.05})),
            seen(BROKEN, exchanges=({"started_at": SENT_AT + 9.0},)),
        ],
        [(seen(Text("a"), exchanges=({}, {"started_at": SENT_AT + 0.2})), "began at +0.200 s")],
    ),
    "streamed_from_bedrock": (
        checks.streamed_from_bedrock,
        [seen()],
        [(seen(exchanges=({}, {"operation": "Converse"})), "Converse → 200, finished")],
    ),
    "closed_within": (
        checks.closed_within(0.8, slack=0.2),
        [seen(ending="we left", ended_at=0.5, exchanges=({"ended_at": 1.4}, {"ended_at": 0.1}))],
        [
            (seen(ended_at=0.5, exchanges=({"ended_at": 1.6},)), "1.110 s after the client left"),
            (seen(exchanges=({"state": "open", "ended": None, "ended_at": None},)), "still open"),
        ],
    ),
    "call_limits_kept": (
        checks.call_limits_kept,
        [seen()],
        [(seen(exchanges=({"miss": "the replies are used up"},)), "the replies are used up")],
    ),
    "nothing_left_open": (
        checks.nothing_left_open,
        [seen()],
        [(seen(exchanges=({}, {"state": "open", "ended": None})), "ConverseStream → 200, open")],
    ),
    "some_tokens_unsent": (
        checks.some_tokens_unsent,
        [seen(exchanges=[{"tokens_sent": 3, "tokens_unsent": 57}])],
        [(seen(exchanges=[{"tokens_sent": 60, "tokens_unsent": 0}]), "60 sent, 0 unsent")],
    ),
    "tools_run": (
        checks.tools_run("look"),
        [seen(*TOOL)],
        [(seen(), "none"), (seen(*TOOL, ToolStarted("t2", "find")), "look, find")],
    ),
    "no_tool_run": (
        checks.no_tool_run,
        [seen()],
        [(seen(*TOOL), "ToolStarted("), (seen(exchanges=(results(None),)), "toolResult t0 sent to Bedrock")],
    ),
    "tools_balanced": (
        checks.tools_balanced,
        [
            seen(),
            seen(*TOOL),
            seen(
                ToolStarted("a", "x"),
                ToolStarted("b", "x"),
                ToolFinished("b", "x", True),
                ToolFinished("a", "x", False),
            ),
        ],
        [
            (seen(ToolStarted("t1", "look"), DONE), "look did not"),
            (seen(ToolFinished("t1", "look", True)), "ToolFinished("),
            (seen(*TOOL, ToolFinished("t1", "look", True)), "ToolFinished("),
            (seen(ToolStarted("t1", "look"), ToolFinished("t1", "find", True)), "name='find'"),
            (seen(ToolStarted("t1", "a"), ToolStarted("t1", "b")), "name='b'"),
        ],
    ),
    "tool_ended": (
        checks.tool_ended("look", ok=True),
        [seen(*TOOL)],
        [(seen(), "no end"), (seen(ToolFinished("t1", "look", False)), "ok=False")],
    ),
    "tool_results_sent": (
        checks.tool_results_sent("success", "error"),
        [seen(exchanges=({}, results(None, "error"))), seen(exchanges=(results("success", "error"),))],
        [
            (seen(), "none"),
            (seen(exchanges=()), "none"),
            (seen(exchanges=(results("error", None),)), "error, success"),
        ],
    ),
    "text_after_tools": (
        checks.text_after_tools,
        [seen(Text("a"), *TOOL, Text("b"))],
        [(seen(Text("a"), *TOOL), "none"), (seen(), "no tool ended")],
    ),
    "results_match_calls": (
        checks.results_match_calls,
        [seen(), seen(exchanges=[conversation(turn(called("t1"), called("t2")), answer("t2", "t1"))])],
        [
            (seen(exchanges=[conversation(turn(called("t1"), called("t2")), answer("t1"))]), "t1"),
            (seen(exchanges=[conversation(turn(called("t1")), answer("t2"))]), "t2"),
            (seen(exchanges=[conversation(turn(called("t1")), [{"text": "ok"}])]), "none"),
        ],
    ),
    "turn_repeated": (
        checks.turn_repeated({"text": "Let me look."}, {"toolUse": {"name": "look", "input": {}}}),
        [seen(exchanges=[conversation(turn({"text": "Let me look."}, called("t1")), answer("t1"))])],
        [
            (seen(exchanges=[conversation(turn(called("t1")), answer("t1"))]), '[{"toolUse"'),
            (seen(), "no assistant turn"),
            (seen(exchanges=[]), "no assistant turn"),
        ],
    ),
    "within_rounds": (
        checks.within_rounds,
        [seen(exchanges=[{}] * 3, limits=Limits(tool_rounds=2))],
        [(seen(exchanges=[{}] * 4, limits=Limits(tool_rounds=2)), "4")],
    ),
}

HOLDING = [
    pytest.param(check, one, id=f"{name}-{n}")
    for name, (check, good, _) in EXAMPLES.items()
    for n, one in enumerate(good)
]
FAILING = [
    pytest.param(check, one, said, id=f"{name}-{n}")
    for name, (check, _, bad) in EXAMPLES.items()
    for n, (one, said) in enumerate(bad)
]


@pytest.mark.parametrize(("check", "members"), HOLDING)
def test_it_holds(check: Check, members: dict[str, Any], evidence_of: Callable[..., Evidence]) -> None:
    assert check(built(members, evidence_of)) == []


@pytest.mark.parametrize(("check", "members", "said"), FAILING)
def test_it_says_what_is_wrong(
    check: Check, members: dict[str, Any], said: str, evidence_of: Callable[..., Evidence]
) -> None:
    findings = check(built(members, evidence_of))
    assert findings
    assert said in findings[0].actual
    assert findings[0].expected != findings[0].actual


def built(members: dict[str, Any], evidence_of: Callable[..., Evidence]) -> Evidence:
    return evidence_of(
        *members["events"], **{name: value for name, value in members.items() if name != "events"}
    )


def test_every_check_has_examples() -> None:
    modules = {"converse_contract.checks.calls", "converse_contract.checks.tools"}
    assert set(EXAMPLES) == {name for name in checks.__all__ if getattr(checks, name).__module__ in modules}
