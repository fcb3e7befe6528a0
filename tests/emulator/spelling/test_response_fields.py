"""additionalModelResponseFieldPaths: pointers into what the model itself would have said."""

import json
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.language.scenario import Step, Stop, Text, ToolUse
from converse_emulator.playing.acts import Send
from converse_emulator.spelling.response_fields import fields
from converse_emulator.spelling.timeline import compile_reply

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"


def told(operation: str, paths: list[str], *reply: Step, model_id: str = CLAUDE) -> Any:
    body = {
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "inferenceConfig": {"stopSequences": ["END"]},
        "additionalModelResponseFieldPaths": paths,
    }
    timeline = compile_reply(reply, Request(operation, model_id, {}, body), seed="7", now=0.0)
    sent = b"".join(beat.act.data for beat in timeline.beats if isinstance(beat.act, Send))
    if operation == "Converse":
        return json.loads(sent).get("additionalModelResponseFields")
    stop = next(each for each in Decoder().feed(sent) if each.header(":event-type") == "messageStop")
    return json.loads(stop.payload).get("additionalModelResponseFields")


def test_the_sequence_that_stopped_claude() -> None:
    reply = Text("Hi END")
    assert told("Converse", ["/stop_sequence"], reply) == {"stop_sequence": "END"}
    assert told("ConverseStream", ["/delta/stop_sequence"], reply) == {"delta": {"stop_sequence": "END"}}


def test_a_path_that_leads_nowhere_is_left_out() -> None:
    assert told("Converse", ["/delta/stop_sequence"], Text("Hi")) is None
    assert told("ConverseStream", ["/nothing", "/delta/stop_sequence"], Text("Hi")) == {
        "delta": {"stop_sequence": None}
    }


def test_other_families_have_other_bodies() -> None:
    told_by_titan = told(
        "Converse", ["/results/0/completionReason"], Text("Hi"), model_id="amazon.titan-text-lite-v1"
    )
    assert told_by_titan == {"results": {"0": {"completionReason": "FINISH"}}}


@pytest.mark.parametrize("model_id", ["stability.sd3-large-v1:0", "meta.llama3-8b-instruct-v1:0"])
def test_of_what_cannot_be_said_natively_nothing_is_passed_on(model_id: str) -> None:
    assert told("Converse", ["/stop_reason"], ToolUse("x"), model_id=model_id) is None


def test_a_script_has_the_last_word() -> None:
    reply = (Text("Hi"), Stop("end_turn", {"mine": 1}))
    assert told("ConverseStream", ["/delta/stop_sequence"], *reply) == {"mine": 1}


def test_pointers() -> None:
    document = {"a": {"b/c": 1, "d~e": [10, 20]}, "n": None}
    assert fields(["/a/b~1c", "/a/d~0e/1", "/n", "/x", "/a/d~0e/2"], [document]) == {
        "a": {"b/c": 1, "d~e": {"1": 20}},
        "n": None,
    }
    assert fields(["/a"], [{}, {"a": 1}, {"a": 2}]) == {"a": 1}
