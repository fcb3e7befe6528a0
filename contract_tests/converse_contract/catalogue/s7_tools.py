"""Section 7: tool calls interrupt the stream; they do not end it."""

from typing import Any

from converse_contract.case import Case, Check, Level, Script
from converse_contract.checks import (
    all_of,
    any_of,
    balanced_blocks,
    calls,
    ends_after,
    failed,
    finished,
    heartbeats_while_quiet,
    no_leaks,
    no_tool_run,
    results_match_calls,
    terminal,
    text_after_tools,
    text_is_all_sent,
    tool_ended,
    tool_results_sent,
    tools_balanced,
    tools_run,
    turn_repeated,
    within_rounds,
)

TITLE = "Tools"

TOOLS = frozenset({"tools"})
GOES_ON = all_of(text_after_tools, text_is_all_sent, finished("end_turn"))
SIGNED = {"text": "I need the subscription first.", "signature": "c2lnbmVkIGJ5IHRoZSBtb2RlbA=="}


def _tool(number: int, title: str, requirement: str, why: str, scenario: Script, check: Check) -> Case:
    return Case(
        id=f"7.{number}",
        title=title,
        requirement=requirement,
        why=why,
        needs=TOOLS,
        scenario=scenario,
        check=check,
    )


def _called(name: str, given: Any) -> dict[str, Any]:
    return {"toolUse": {"name": name, "input": given}}


CASES = (
    _tool(
        1,
        "The model calls a tool and goes on with its result.",
        "The tool MUST be run, its result sent back, and the answer go on in the same response.",
        "The stream ends with stop reason tool_use: a handler that reports the end there leaves the user "
        "with “Let me look that up.”",
        "tools/round-trip",
        all_of(
            tools_run("lookup_subscription"),
            tool_ended("lookup_subscription", ok=True),
            tool_results_sent("success"),
            calls(2),
            GOES_ON,
        ),
    ),
    _tool(
        2,
        "A tool call between two texts: the order of events.",
        "Blocks MUST stay balanced and numbered on over the calls; there MUST be one terminal event.",
        "Bedrock's block indices start from 0 in every call; passed on, the second text lands in the first "
        "block.",
        "tools/round-trip",
        all_of(balanced_blocks, tools_balanced, terminal),
    ),
    _tool(
        3,
        "A tool call: what the model gets back of its own turn.",
        "The next call MUST repeat the model's turn as it was, followed by the tool's result.",
        "Without the toolUse block Bedrock refuses the result; with an input that was rewritten the model "
        "reads what it never said.",
        "tools/round-trip",
        all_of(
            turn_repeated(
                {"text": "Let me look that up. "}, _called("lookup_subscription", {"customer_id": "C-100"})
            ),
            results_match_calls,
        ),
    ),
    _tool(
        4,
        "A tool call without a word before it.",
        "The user MUST be told that a tool is running.",
        "There is no text to show yet: without the event the page looks as if nothing happened.",
        "tools/no-text",
        all_of(tools_run("order_status"), tools_balanced, GOES_ON),
    ),
    _tool(
        5,
        "Two tool calls in one turn.",
        "Both MUST be run, kept apart, and answered in one message.",
        "Code that remembers “the current tool” joins the second input to the first, or answers one of them; "
        "Bedrock then refuses the next call.",
        "tools/two-tools",
        all_of(
            tools_run("lookup_subscription", "order_status"),
            tool_results_sent("success", "success"),
            results_match_calls,
            turn_repeated(
                {"text": "I will check both. "},
                _called("lookup_subscription", {"customer_id": "C-100"}),
                _called("order_status", {"order_id": "O-2001"}),
            ),
            GOES_ON,
        ),
    ),
    _tool(
        6,
        "The input of a tool call comes character by character.",
        "The pieces MUST be joined and parsed once, at the end of the block.",
        "Each piece parsed by itself is broken JSON, and some of them are valid and wrong.",
        "tools/split-input",
        all_of(
            tool_ended("order_status", ok=True),
            turn_repeated(_called("order_status", {"order_id": "O-2001"})),
            GOES_ON,
        ),
    ),
    _tool(
        7,
        "A tool call whose input is the empty string.",
        "No input MUST be taken for an empty object.",
        'It is how Claude says "no arguments", and json.loads("") raises.',
        "tools/empty-input",
        all_of(turn_repeated(_called("order_status", {})), results_match_calls, GOES_ON),
    ),
    _tool(
        8,
        "A tool call without any input delta.",
        "No input MUST be taken for an empty object.",
        "A call that is noticed at its first delta is never noticed.",
        [
            [
                {
                    "event": {
                        "contentBlockStart": {
                            "contentBlockIndex": 0,
                            "start": {"toolUse": {"toolUseId": "tooluse_nothing", "name": "order_status"}},
                        }
                    }
                },
                {"event": {"contentBlockStop": {"contentBlockIndex": 0}}},
            ],
            "Which order do you mean?",
        ],
        all_of(turn_repeated(_called("order_status", {})), results_match_calls, GOES_ON),
    ),
    _tool(
        9,
        "The input of a complete tool call is not valid JSON.",
        "The tool MUST NOT be run; the model gets an error as its result, or the handler reports a failure.",
        "`except ValueError: input = {}` runs the tool with nothing, and nothing may mean everything.",
        "tools/broken-json",
        any_of(
            all_of(tool_ended("lookup_subscription", ok=False), tool_results_sent("error"), GOES_ON),
            all_of(no_tool_run, tool_results_sent("error"), finished("end_turn")),
            all_of(no_tool_run, failed("malformed_output")),
        ),
    ),
    _tool(
        10,
        "maxTokens ends the answer in the middle of a tool's input.",
        "The tool MUST NOT be run; the answer MUST be reported as truncated.",
        "There is a tool block, its input may happen to be valid so far, and the stop reason is the only "
        "hint.",
        "tools/cut-by-max-tokens",
        all_of(no_tool_run, finished("max_tokens", truncated=True), calls(1)),
    ),
    _tool(
        11,
        "The model calls a tool that nobody offered.",
        "The model MUST get an error as the result, and the answer MUST go on.",
        "TOOLS[name] is a KeyError, which ends the answer for a slip that the model can correct.",
        "tools/unknown-tool",
        all_of(tool_results_sent("error"), text_is_all_sent, finished("end_turn"), calls(2)),
    ),
    _tool(
        12,
        "The tool raises.",
        "The model MUST get an error as the result, the answer MUST go on, and nothing of the error be "
        "shown.",
        "A tool fails for reasons of its own; the model can say so, a stack trace cannot.",
        "tools/raising-tool",
        all_of(tool_ended("lookup_subscription", ok=False), tool_results_sent("error"), no_leaks, GOES_ON),
    ),
    _tool(
        13,
        "The tool hangs.",
        "The tool MUST be given up at its own time limit, and the answer MUST go on.",
        "No limit of the stream applies while there is no stream: the response hangs with the tool.",
        "tools/hanging-tool",
        all_of(tool_ended("slow_report", ok=False), tool_results_sent("error"), ends_after("tool"), GOES_ON),
    ),
    Case(
        id="7.14",
        title="The tool hangs: heartbeats.",
        requirement="While a tool runs, the handler SHOULD send heartbeats.",
        why="The model is silent and the tool is, too: it is the longest pause that a chat has.",
        level=Level.SHOULD,
        needs=frozenset({"tools", "heartbeat"}),
        scenario="tools/hanging-tool",
        check=heartbeats_while_quiet,
    ),
    _tool(
        15,
        "The model answers every result with the same tool call.",
        "The handler MUST stop after its number of rounds, and say so.",
        '`while stop_reason == "tool_use"` has no other end, and every round is paid for.',
        "tools/endless-rounds",
        all_of(failed("tool_rounds_exceeded", retryable=False), within_rounds, terminal),
    ),
    _tool(
        16,
        "The stop reason is tool_use, but there is no tool call.",
        "The handler MUST report malformed output, and MUST NOT call again.",
        "A loop over no tools sends an empty user message, which Bedrock refuses, or asks the same again "
        "for ever.",
        "tools/stop-without-tool",
        all_of(failed("malformed_output", partial=True), calls(1)),
    ),
    _tool(
        17,
        "The call that brings the tool's result is throttled.",
        "The handler MUST report throttling for a partial answer, and MUST NOT run the tool again.",
        "A retry around the whole answer runs the tool twice, and tools have effects.",
        "tools/throttled-after-tool",
        all_of(
            failed("throttled", retryable=True, partial=True),
            tools_run("lookup_subscription"),
            tools_balanced,
            terminal,
        ),
    ),
    _tool(
        18,
        "Reasoning, then a tool call.",
        "The next call MUST bring the reasoning block back, signature and all.",
        "Claude refuses a turn whose thinking is missing or unsigned; the signature is a delta without text, "
        "easily dropped.",
        "reasoning/before-tool",
        all_of(
            turn_repeated(
                {"reasoningContent": {"reasoningText": SIGNED}},
                _called("lookup_subscription", {"customer_id": "C-100"}),
            ),
            GOES_ON,
        ),
    ),
)
