"""Stream events folded into the body of a blocking response."""

import json
from typing import Any

import pytest
from converse_emulator.spelling.fold import fold

Event = tuple[str, dict[str, Any]]

START: Event = ("messageStart", {"role": "assistant"})
STOP: Event = ("messageStop", {"stopReason": "end_turn"})
METADATA: Event = ("metadata", {"usage": {"inputTokens": 1}, "metrics": {"latencyMs": 5}})


def delta(index: int, **delta: Any) -> Event:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}


def start(index: int, **start: Any) -> Event:
    return "contentBlockStart", {"contentBlockIndex": index, "start": start}


def content(*events: Event) -> list[dict[str, Any]]:
    body = fold([START, *events, STOP])
    blocks: list[dict[str, Any]] = body["output"]["message"]["content"]
    return blocks


def test_a_whole_answer() -> None:
    body = fold([START, delta(0, text="Hi "), delta(0, text="there"), STOP, METADATA])
    assert json.dumps(body, separators=(",", ":")) == (
        '{"metrics":{"latencyMs":5},"output":{"message":{"content":[{"text":"Hi there"}],"role":"assistant"}}'
        ',"stopReason":"end_turn","usage":{"inputTokens":1}}'
    )


def test_the_body_says_no_more_than_the_events() -> None:
    assert fold([]) == {}
    assert fold([START, delta(0, text="Hi")]) == {
        "output": {"message": {"content": [{"text": "Hi"}], "role": "assistant"}}
    }


def test_further_members_of_the_last_events_stand_beside_the_others() -> None:
    stop = ("messageStop", {"stopReason": "end_turn", "additionalModelResponseFields": {"a": 1}})
    members = ("usage", "metrics", "trace", "performanceConfig", "serviceTier")
    metadata: Event = ("metadata", {member: {} for member in members})
    assert list(fold([START, stop, metadata])) == [
        "additionalModelResponseFields", "metrics", "output", "performanceConfig", "serviceTier",
        "stopReason", "trace", "usage",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pieces", "parsed"),
    [
        ([], {}),
        ([""], {}),
        (["", '{"b": 1, ', '"a": [2]}'], {"b": 1, "a": [2]}),
        (["{}"], {}),
        (['{"city": "Pa'], '{"city": "Pa'),
        (["[" * 100_000], "[" * 100_000),
    ],
)
def test_the_input_of_a_tool(pieces: list[str], parsed: Any) -> None:
    tool = start(0, toolUse={"toolUseId": "t1", "name": "find"})
    deltas = [delta(0, toolUse={"input": piece}) for piece in pieces]
    (block,) = content(tool, *deltas)
    assert block == {"toolUse": {"input": parsed, "name": "find", "toolUseId": "t1"}}
    assert list(block["toolUse"]) == ["input", "name", "toolUseId"]


@pytest.mark.parametrize(
    ("deltas", "block"),
    [
        (
            [{"text": "Hm "}, {"text": "so"}, {"signature": "c2ln"}],
            {"reasoningText": {"signature": "c2ln", "text": "Hm so"}},
        ),
        ([{"text": "Hm"}], {"reasoningText": {"text": "Hm"}}),
        ([{"signature": "c2ln"}], {"reasoningText": {"signature": "c2ln", "text": ""}}),
        ([{"redactedContent": "c2Vj"}], {"redactedContent": "c2Vj"}),
    ],
)
def test_reasoning(deltas: list[dict[str, str]], block: dict[str, Any]) -> None:
    assert content(*(delta(0, reasoningContent=one) for one in deltas)) == [{"reasoningContent": block}]


def test_citations_enclose_the_text_they_are_for() -> None:
    citation = {"location": {"documentChar": {"documentIndex": 0, "end": 9, "start": 0}}, "title": "facts"}
    assert content(delta(0, citation=citation), delta(0, text="Thirty "), delta(0, text="days.")) == [
        {"citationsContent": {"citations": [citation], "content": [{"text": "Thirty days."}]}}
    ]


def test_results_of_server_tools() -> None:
    begun = start(0, toolResult={"toolUseId": "t1", "status": "success", "type": "nova_grounding_result"})
    assert content(begun, delta(0, toolResult=[{"text": "a"}]), delta(0, toolResult=[{"json": {}}])) == [
        {
            "toolResult": {
                "content": [{"text": "a"}, {"json": {}}],
                "status": "success",
                "toolUseId": "t1",
                "type": "nova_grounding_result",
            }
        }
    ]


def test_interleaved_blocks_come_in_the_order_of_their_indices() -> None:
    assert content(delta(1, text="b"), delta(0, text="a"), delta(1, text="B")) == [
        {"text": "a"},
        {"text": "bB"},
    ]


def test_what_is_unknown_is_skipped() -> None:
    assert content(("pingEvent", {}), delta(0, video={}), ("contentBlockDelta", {"delta": 5})) == [
        {"text": ""}
    ]
