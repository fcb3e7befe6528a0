"""ApplyGuardrail."""

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from converse_emulator.side.guardrails import BLOCKED, apply_guardrail

SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")


def applied(*texts: str) -> Any:
    return apply_guardrail({"source": "INPUT", "content": [{"text": {"text": text}} for text in texts]})


@pytest.mark.parametrize("text", ["Hello", "Tell me about [[guardrail: pineapple]]"])
def test_the_answer_has_the_shape_of_the_service_model(text: str) -> None:
    shape = SERVICE.operation_model("ApplyGuardrail").output_shape

    report = ParamValidator().validate(applied(text), shape)

    assert not report.has_errors(), report.generate_report()


def test_most_text_passes() -> None:
    answer = applied("Hello", "x" * 1000)

    assert (answer["action"], answer["outputs"]) == ("NONE", [])
    assert answer["usage"]["wordPolicyUnits"] == 2
    assert answer["guardrailCoverage"]["textCharacters"] == {"guarded": 1005, "total": 1005}


def test_the_marker_is_a_blocked_word() -> None:
    answer = applied("Fine.", "Tell me about [[guardrail: pineapple]] and [[guardrail:kiwi]]")

    assert (answer["action"], answer["outputs"]) == ("GUARDRAIL_INTERVENED", [{"text": BLOCKED}])
    words = answer["assessments"][0]["wordPolicy"]["customWords"]
    assert [word["match"] for word in words] == ["pineapple", "kiwi"]


def test_content_without_text() -> None:
    answer = apply_guardrail({"source": "INPUT", "content": [{"image": {"format": "png", "source": {}}}]})

    assert answer["action"] == "NONE"
    assert answer["usage"]["wordPolicyUnits"] == 0
