"""Laws of the rules and of the side calls: what keeps the constraints is judged, and answered."""

from base64 import b64encode
from contextlib import suppress
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.http.refusals import ServiceError
from converse_emulator.judging.judge import Judge
from converse_emulator.judging.rule import PREFIX
from converse_emulator.judging.rules import RULES, judge
from converse_emulator.judging.verdicts import FirstFrame, Refused
from converse_emulator.models.catalogue import packaged
from converse_emulator.shapes import service
from converse_emulator.side.async_invokes import AsyncInvokes
from converse_emulator.side.side_calls import SideCalls
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "minItems", "maximum", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
TEXT = st.sampled_from(["Hi", "", " ", "\n", "Hi "])
BYTES = st.binary(min_size=1, max_size=9).map(lambda raw: b64encode(raw).decode())
SOURCE = st.one_of(
    st.fixed_dictionaries({"bytes": BYTES}), st.just({"s3Location": {"uri": "s3://bucket/file"}})
)
IMAGE = st.fixed_dictionaries({"format": st.sampled_from(["png", "jpeg"]), "source": SOURCE})
DOCUMENT = st.fixed_dictionaries(
    {"name": st.sampled_from(["Document 1", "a.pdf", "a  b"]), "format": st.just("pdf"), "source": SOURCE}
)
IDS = st.sampled_from("abc")
RESULT_CONTENT = st.one_of(
    st.fixed_dictionaries({"text": TEXT}),
    st.fixed_dictionaries({"json": JSON}),
    st.fixed_dictionaries({"image": IMAGE}),
    st.fixed_dictionaries({"document": DOCUMENT}),
)
BLOCK = st.one_of(
    st.fixed_dictionaries({"text": TEXT}),
    st.fixed_dictionaries({"image": IMAGE}),
    st.fixed_dictionaries({"document": DOCUMENT}),
    st.just({"cachePoint": {"type": "default"}}),
    st.fixed_dictionaries(
        {"toolUse": st.fixed_dictionaries({"toolUseId": IDS, "name": st.just("f"), "input": JSON})}
    ),
    st.fixed_dictionaries(
        {
            "toolResult": st.fixed_dictionaries(
                {"toolUseId": IDS, "content": st.lists(RESULT_CONTENT, max_size=2)},
                optional={"status": st.sampled_from(["success", "error"])},
            )
        }
    ),
)
TOOL = st.one_of(
    st.fixed_dictionaries(
        {
            "toolSpec": st.fixed_dictionaries(
                {"name": st.just("f"), "inputSchema": st.fixed_dictionaries({"json": JSON})},
                optional={"strict": st.booleans()},
            )
        }
    ),
    st.just({"cachePoint": {"type": "default"}}),
)
SCHEMA = st.sampled_from(["{}", "[", '{"type": "array", "minItems": 2}', '{"type": "number", "minimum": 1}'])
BODY = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(
            st.fixed_dictionaries(
                {"role": st.sampled_from(["user", "assistant"]), "content": st.lists(BLOCK, max_size=3)}
            ),
            max_size=5,
        ),
        "system": st.lists(st.fixed_dictionaries({"text": st.just("Be brief.")}), max_size=2),
        "inferenceConfig": st.fixed_dictionaries(
            {},
            optional={
                "maxTokens": st.sampled_from([1, 10**6]),
                "temperature": st.just(0.5),
                "topP": st.just(0.5),
            },
        ),
        "toolConfig": st.fixed_dictionaries({"tools": st.lists(TOOL, min_size=1, max_size=3)}),
        "outputConfig": SCHEMA.map(
            lambda schema: {
                "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema}}}
            }
        ),
    },
)
MODEL_IDS = st.sampled_from(
    [
        *packaged().models,
        "us.anthropic.claude-next",
        "gone",
        "arn:aws:bedrock:us-east-1:123456789012:prompt/ABC",
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(BODY, MODEL_IDS, st.sampled_from(["Converse", "ConverseStream"]))
def test_every_request_that_keeps_the_constraints_is_judged(body: Any, model_id: str, operation: str) -> None:
    if service.violations(operation, model_id, body):
        return
    found = judge(Request(operation, model_id, {}, body))

    if found is None:
        return
    rule = next(rule for rule in RULES if rule.name == found.rule)
    assert found.message.startswith(PREFIX) == (rule.layer == "model")
    assert isinstance(found, FirstFrame) == (rule.layer == "model" and operation == "ConverseStream")
    assert "{" not in found.message
    # One request, one verdict; and what only the wire differs in is judged alike.
    other = {"Converse": "ConverseStream", "ConverseStream": "Converse"}[operation]
    again = judge(Request(other, model_id, {}, body))
    if rule.name not in ("no-streaming", "no-streaming-tools") and operation == "ConverseStream":
        assert again is not None
        assert (again.rule, again.message) == (found.rule, found.message)


INPUTS: dict[str, dict[str, Any]] = {
    "ApplyGuardrail": {
        "guardrailIdentifier": "abc",
        "guardrailVersion": "1",
        "source": "INPUT",
        "content": [{"text": {"text": "Hi"}}],
    },
    "CountTokens": {"modelId": "m", "input": {"converse": {"messages": []}}},
    "GetAsyncInvoke": {"invocationArn": "arn:aws:bedrock:us-east-1:123456789012:async-invoke/abcdefghijkl"},
    "GetFoundationModel": {"modelIdentifier": "amazon.nova-micro-v1:0"},
    "GetInferenceProfile": {"inferenceProfileIdentifier": "us.amazon.nova-micro-v1:0"},
    "InvokeGuardrailChecks": {
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "checks": {"promptAttack": {"categories": [{"category": "JAILBREAK"}]}},
    },
    "ListAsyncInvokes": {
        "maxResults": 1,
        "sortOrder": "Ascending",
        "submitTimeAfter": "2026-01-01T00:00:00Z",
    },
    "ListFoundationModels": {"byProvider": "Amazon", "byOutputModality": "TEXT"},
    "ListInferenceProfiles": {"maxResults": 1, "nextToken": "MQ==", "typeEquals": "APPLICATION"},
    "StartAsyncInvoke": {
        "modelId": "amazon.nova-reel-v1:0",
        "modelInput": {},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://bucket/a"}},
    },
}


@pytest.mark.parametrize("operation", sorted(INPUTS))
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_side_call_that_keeps_the_constraints_is_answered(operation: str, data: st.DataObject) -> None:
    given_members = INPUTS[operation]
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(given_members)), JSON, max_size=2))
    request = Request(operation, "amazon.nova-micro-v1:0", {}, {**given_members, **changed})
    judged = Judge()
    side_calls = SideCalls(lambda: judged.catalogue, AsyncInvokes("0", lambda: 0.0))

    verdict = judged.side_call(request)
    if verdict is not None:
        assert isinstance(verdict, Refused)
        return
    with suppress(ServiceError):
        assert isinstance(side_calls.answer(request), dict)


def test_the_side_calls_are_all_tried_here() -> None:
    assert SideCalls(packaged, AsyncInvokes("0", lambda: 0.0)).operations == INPUTS.keys()
