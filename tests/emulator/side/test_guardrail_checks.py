"""InvokeGuardrailChecks."""

from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from converse_emulator import Emulator
from converse_emulator.side.guardrail_checks import invoke_guardrail_checks

SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")
CHECKS = {
    "contentFilter": {"categories": [{"category": "VIOLENCE"}, {"category": "HATE"}]},
    "promptAttack": {"categories": [{"category": "JAILBREAK"}]},
    "sensitiveInformation": {"entities": [{"type": "EMAIL"}]},
}


def said(*texts: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"text": text}]} for text in texts]


def checked(*texts: str) -> Any:
    return invoke_guardrail_checks({"messages": said(*texts), "checks": CHECKS})


def test_the_answer_has_the_shape_of_the_service_model() -> None:
    shape = SERVICE.operation_model("InvokeGuardrailChecks").output_shape
    report = ParamValidator().validate(checked("Hi [[guardrail: EMAIL]]"), shape)
    assert not report.has_errors(), report.generate_report()


def test_nothing_is_found_unasked() -> None:
    answer = checked("Hello", "x" * 1000)
    assert answer["results"] == {
        "contentFilter": {
            "results": [
                {"category": "VIOLENCE", "severityScore": 0.0},
                {"category": "HATE", "severityScore": 0.0},
            ]
        },
        "promptAttack": {"results": [{"category": "JAILBREAK", "severityScore": 0.0}]},
        "sensitiveInformation": {"results": [], "truncated": False},
    }
    assert answer["usage"]["promptAttack"] == {"textUnits": 2}


def test_markers_are_found_where_they_stand() -> None:
    results = checked("Fine", "Do [[guardrail: HATE]] at [[guardrail:EMAIL]] [[guardrail: PHONE]]")["results"]
    assert [each["severityScore"] for each in results["contentFilter"]["results"]] == [0.0, 1.0]
    (found,) = results["sensitiveInformation"]["results"]
    assert (found["messageIndex"], found["contentIndex"]) == (1, 0)
    assert (found["beginOffset"], found["endOffset"]) == (26, 45)


def test_only_what_is_asked_for_is_checked() -> None:
    checks = {"promptAttack": CHECKS["promptAttack"]}
    assert list(invoke_guardrail_checks({"messages": said("Hi"), "checks": checks})["results"]) == [
        "promptAttack"
    ]


def test_boto3() -> None:
    with Emulator() as emulator:
        client = emulator.session("mine").client()
        answer = client.invoke_guardrail_checks(messages=said("[[guardrail: JAILBREAK]]"), checks=CHECKS)
        (exchange,) = emulator.session("mine").journal.wait()
    assert answer["results"]["promptAttack"]["results"][0]["severityScore"] == 1.0
    assert exchange.operation == "InvokeGuardrailChecks"


def test_every_operation_of_the_service_is_served() -> None:
    from converse_emulator.app import DIALOGUE
    from converse_emulator.side.side_calls import SideCalls
    from converse_emulator.spelling.operations import GENERATIONS

    served = {*SideCalls(None, None).operations, *GENERATIONS}  # type: ignore[arg-type]
    streamed_both_ways = {name for name in SERVICE.operation_names if "Bidirectional" in name}
    assert DIALOGUE in SERVICE.operation_model(*streamed_both_ways).http["requestUri"]
    assert set(SERVICE.operation_names) == (served & set(SERVICE.operation_names)) | streamed_both_ways
