"""How each family sends what a script says: deltas, empty deltas, blocks, ids. As recorded of Bedrock."""

import base64
import re
from collections.abc import Mapping
from random import Random
from typing import Any
from uuid import UUID

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import (
    Citation,
    Image,
    Reasoning,
    Step,
    Stop,
    Text,
    ToolResult,
    ToolUse,
    Wait,
)
from converse_emulator.scripting.habits import habits_of
from converse_emulator.scripting.performance import Emit
from converse_emulator.scripting.script import perform

CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "us.amazon.nova-2-lite-v1:0"
GPT = "openai.gpt-oss-120b-1:0"
JAMBA = "ai21.jamba-1-5-mini-v1:0"
SYSTEM_TOOL = {
    "toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}, {"toolSpec": {"name": "x"}}]}
}


def events(model_id: str, *reply: Step, **body: Any) -> list[tuple[str, Mapping[str, Any]]]:
    request = Request("ConverseStream", model_id, {}, body)
    moments = perform(reply, request, Random(7)).moments
    return [(moment.what.type, moment.what.body) for moment in moments if isinstance(moment.what, Emit)]


def blocks(model_id: str, *reply: Step, **body: Any) -> list[list[Any]]:
    """What the deltas of each block bring."""
    found: dict[int, list[Any]] = {}
    for kind, payload in events(model_id, *reply, **body):
        if kind == "contentBlockDelta":
            ((member, value),) = payload["delta"].items()
            found.setdefault(payload["contentBlockIndex"], []).append(
                value if member == "text" else {member: value}
            )
    return [found[index] for index in sorted(found)]


# --------------------------------------------------------------------------------------- empty deltas


@pytest.mark.parametrize(
    "model_id",
    [NOVA, "mistral.mistral-7b-instruct-v0:2", "us.meta.llama3-2-1b-instruct-v1:0", "us.deepseek.r1-v1:0"],
)
def test_an_empty_delta_is_the_last_where_the_model_itself_ends(model_id: str) -> None:
    assert blocks(model_id, Text("Hi")) == [["Hi", ""]]
    assert blocks(model_id, Text("Hi"), Stop("end_turn")) == [["Hi", ""]]
    assert blocks(model_id, Text("Hi"), Stop("max_tokens")) == [["Hi"]]
    assert blocks(model_id, Text("Hi"), Text("you"), inferenceConfig={"maxTokens": 1}) == [["Hi"]]
    assert blocks(model_id, Text("Hi"), ToolUse("x"))[0] == ["Hi"]


@pytest.mark.parametrize(
    "model_id", [CLAUDE, "cohere.command-r-v1:0", "meta.llama3-8b-instruct-v1:0", "amazon.titan-text-lite-v1"]
)
def test_others_send_none(model_id: str) -> None:
    assert blocks(model_id, Text("Hi")) == [["Hi"]]


def test_an_empty_delta_is_the_first_of_jamba_and_gpt_oss() -> None:
    assert blocks(JAMBA, Text("Hi you")) == [["", "Hi ", "you"]]
    assert blocks(GPT, Text("Hi you")) == [["", "Hi you"]]
    assert blocks(GPT, ToolUse("x", {}))[0] == [""]


def test_the_first_empty_delta_takes_no_time() -> None:
    request = Request("ConverseStream", JAMBA, {}, {})
    moments = perform((Wait(1), Text("Hi you", every=0.5)), request, Random(7)).moments
    said = [moment.at for moment in moments if isinstance(moment.what, Emit) and "delta" in moment.what.body]
    assert said == [1, 1, 1.5]


def test_literal_pieces_are_all_the_deltas_there_are() -> None:
    assert blocks(NOVA, Text("Hi", split=("H", "i"))) == [["H", "i"]]
    assert blocks(NOVA, Text("Hi", split=("", "Hi", ""))) == [["", "Hi", ""]]
    assert blocks(JAMBA, Text("Hi", split=("Hi",))) == [["Hi"]]


# ------------------------------------------------------------------------------------------ long deltas


def test_gpt_oss_reasons_in_a_block_after_an_empty_one() -> None:
    said = blocks(GPT, Reasoning("Let me think."), Text("Hi you"))
    assert said == [[""], [{"reasoningContent": {"text": "Let me think."}}], ["Hi you"]]


def test_titan_says_all_at_once_unless_told_otherwise() -> None:
    assert blocks("amazon.titan-text-express-v1", Text("Hi you")) == [["Hi you"]]
    assert blocks("amazon.titan-text-express-v1", Text("Hi you", split="tokens")) == [["Hi ", "you"]]


def test_usual_deltas_are_as_long_as_those_of_the_family() -> None:
    text = "word " * 400
    for model_id, tokens in ((CLAUDE, 2), ("anthropic.claude-3-5-sonnet-20240620-v1:0", 6), (NOVA, 2)):
        (said,) = blocks(model_id, Text(text, split="usual"))
        assert "".join(said) == text
        assert 400 / len(said) == pytest.approx(tokens, rel=0.2)
    assert blocks("amazon.titan-text-lite-v1", Text(text, split="usual")) == [[text]]
    assert len(blocks("who.knows", Text(text, split="usual"))[0]) == 400


def test_ids_that_do_not_tell_the_model_have_no_special_habits() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    assert habits_of(arn) == habits_of("meta.llama3-8b-instruct-v1:0")
    assert habits_of("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0").tool_whole


# ----------------------------------------------------------------------------------------------- tools


def starts(model_id: str, *reply: Step, **body: Any) -> list[Any]:
    return [
        payload["start"] for kind, payload in events(model_id, *reply, **body) if kind == "contentBlockStart"
    ]


def test_tool_calls_are_told_apart_where_the_request_has_a_system_tool() -> None:
    reply = (ToolUse("nova_grounding", {}), ToolResult(({"text": "[HIDDEN]"},)), ToolUse("x", {}))
    server, result, own = starts(NOVA, *reply, **SYSTEM_TOOL)
    assert (server["toolUse"]["type"], own["toolUse"]["type"]) == ("server_tool_use", "tool_use")
    assert result["toolResult"] == {
        "status": "success",
        "toolUseId": server["toolUse"]["toolUseId"],
        "type": "nova_grounding_result",
    }
    assert "type" not in starts(NOVA, ToolUse("x", {}))[0]["toolUse"]


def test_the_id_of_a_system_tools_call_is_of_the_older_form() -> None:
    (server,) = starts(NOVA, ToolUse("nova_grounding", {}), **SYSTEM_TOOL)
    raw = server["toolUse"]["toolUseId"].removeprefix("tooluse_")
    assert len(raw) == 22
    assert UUID(bytes=base64.urlsafe_b64decode(raw + "==")).version == 4


def test_a_call_that_bedrock_answers_itself_is_no_reason_to_stop() -> None:
    def reason(*reply: Step) -> Any:
        return events(NOVA, *reply, **SYSTEM_TOOL)[-2][1]["stopReason"]

    assert reason(ToolUse("nova_grounding", {}), ToolResult(())) == "end_turn"
    assert reason(ToolUse("nova_grounding", {}), ToolResult(()), ToolUse("x", {})) == "tool_use"


@pytest.mark.parametrize(
    ("model_id", "form"),
    [
        (CLAUDE, r"toolu_bdrk_01[1-9A-HJ-NP-Za-km-z]{22}"),
        (NOVA, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ("mistral.pixtral-large-2502-v1:0", r"[0-9A-Za-z]{9}"),
        (GPT, r"chatcmpl-tool-[0-9a-f]{32}"),
        (JAMBA, r"call_[0-9A-Za-z]{24}"),
    ],
)
def test_ids_have_the_form_of_the_native_format_there(model_id: str, form: str) -> None:
    for native, expected in ((None, r"tooluse_[0-9A-Za-z]{22}"), ({}, form)):
        request = Request("ConverseStream", model_id, {}, {}, native=native)
        moments = perform((ToolUse("x"),), request, Random(7)).moments
        ids = [str(moment.what.body["start"]["toolUse"]["toolUseId"]) for moment in moments
               if isinstance(moment.what, Emit) and "start" in moment.what.body]  # fmt: skip
        assert re.fullmatch(expected, ids[0])


# ------------------------------------------------------------------------------- citations and images

CITED = Citation({"title": "T"})


def test_claude_cites_first_in_the_block_of_the_text() -> None:
    assert blocks(CLAUDE, Text("So: "), CITED, CITED, Text("yes"), Text("! Well")) == [
        ["So", ": "],
        [{"citation": {"title": "T"}}, {"citation": {"title": "T"}}, "yes"],
        ["! ", "Well"],
    ]


def test_nova_cites_in_a_block_of_its_own() -> None:
    assert blocks(NOVA, Text("So"), CITED, CITED, Text("yes"), Stop("max_tokens")) == [
        ["So"],
        [{"citation": {"title": "T"}}, {"citation": {"title": "T"}}],
        ["yes"],
    ]


def test_an_image_is_a_block_with_a_start_and_one_delta() -> None:
    assert starts(CLAUDE, Image(b"hi", "gif")) == [{"image": {"format": "gif"}}]
    assert blocks(CLAUDE, Image(b"hi")) == [[{"image": {"source": {"bytes": "aGk="}}}]]
