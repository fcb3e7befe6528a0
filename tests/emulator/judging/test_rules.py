"""Each rule: a request that breaks it, with the exact text, and a request much like it that is in order."""

from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.judging.rule import PREFIX, Rule
from converse_emulator.judging.rules import RULES, judge
from converse_emulator.judging.verdicts import FirstFrame, Refused
from converse_emulator.models.catalogue import Catalogue, Model, packaged

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
OLD_SONNET = "anthropic.claude-3-sonnet-20240229-v1:0"
NOVA = "us.amazon.nova-lite-v1:0"
MICRO = "amazon.nova-micro-v1:0"
LLAMA = "meta.llama3-1-70b-instruct-v1:0"
MISTRAL = "mistral.mistral-large-3-675b-instruct"
TITAN = "amazon.titan-text-express-v1"
GPT = "openai.gpt-oss-120b-1:0"
JPEG = b64encode(b"\xff\xd8\xff\xe0 not much of a picture").decode()
S3 = {"s3Location": {"uri": "s3://bucket/file"}}

Json = Any


def text(value: str = "Hi") -> Json:
    return {"text": value}


def user(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks or (text(),))}


def assistant(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks or (text("Hello"),))}


def call(name: str = "a", given: Json = None, **more: Json) -> Json:
    return {"toolUse": {"toolUseId": name, "name": "f", "input": {} if given is None else given, **more}}


def result(name: str = "a", *content: Json, **more: Json) -> Json:
    return {"toolResult": {"toolUseId": name, "content": list(content or (text("42"),)), **more}}


def image(source: Json = None, kind: str = "jpeg") -> Json:
    return {"image": {"format": kind, "source": source or {"bytes": JPEG}}}


def document(name: str = "Document 1", source: Json = None) -> Json:
    return {"document": {"name": name, "format": "pdf", "source": source or {"bytes": "aGk="}}}


def tools(schema: Json = None, **more: Json) -> Json:
    spec = {"name": "f", "inputSchema": {"json": {"type": "object"} if schema is None else schema}, **more}
    return {"tools": [{"toolSpec": spec}]}


def asked(*messages: Json, **more: Json) -> Json:
    return {"messages": list(messages or (user(),)), **more}


def round_trip(*blocks: Json) -> list[Json]:
    return [user(), assistant(call()), user(*blocks)]


def properties(**schemas: Json) -> Json:
    return {"type": "object", "properties": schemas}


def output_schema(schema: str) -> Json:
    structure = {"jsonSchema": {"schema": schema, "name": "answer"}}
    return {"textFormat": {"type": "json_schema", "structure": structure}}


@dataclass(frozen=True)
class Case:
    """`bad` breaks the rule with `message`, `good` keeps it."""

    rule: str
    message: str
    bad: Json
    good: Json
    model: str = SONNET
    operation: str = "Converse"
    good_model: str = ""
    catalogue: Catalogue = field(default_factory=packaged)


POINT = {"cachePoint": {"type": "default"}}
PROFILE_NEEDED = (
    "Invocation of model ID anthropic.claude-sonnet-4-5-20250929-v1:0 with on-demand throughput isn\u2019t "
    "supported. Retry your request with the ID or ARN of an inference profile that contains this model."
)
NO_BLOCK = "content block that you provided. Update the content block and try again."
ENFORCING = replace(packaged(), enforce=frozenset({"alternation"}))

CASES = [
    Case(
        "unknown-model",
        "The provided model identifier is invalid.",
        asked(),
        asked(),
        model="us.amazon.nova-micro-v1:O",
        good_model="us.amazon.nova-micro-v1:0",
    ),
    Case(
        "needs-profile",
        PROFILE_NEEDED,
        asked(),
        asked(),
        model="anthropic.claude-sonnet-4-5-20250929-v1:0",
        good_model=SONNET,
    ),
    Case(
        "no-token-counting",
        "The provided model doesn't support counting tokens.",
        {"input": {"converse": asked()}},
        {"input": {"converse": asked()}},
        operation="CountTokens",
        good_model="anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    Case(
        "no-converse",
        "This action doesn't support the model that you provided. "
        "Try again with a supported text or chat model.",
        asked(),
        asked(),
        model="amazon.titan-embed-text-v2:0",
        good_model=TITAN,
    ),
    Case(
        "no-streaming",
        "The model is unsupported for streaming.",
        asked(),
        asked(),
        model="ai21.j2-ultra-v1",
        good_model="ai21.jamba-1-5-mini-v1:0",
        operation="ConverseStream",
    ),
    Case(
        "no-system",
        "This model doesn't support system messages. Try again without a system message or use a model that "
        "supports system messages.",
        asked(system=[text()]),
        asked(system=[]),
        model=TITAN,
    ),
    Case(
        "no-tools",
        "This model doesn't support tool use.",
        asked(toolConfig=tools()),
        asked(),
        model="us.deepseek.r1-v1:0",
    ),
    Case(
        "no-streaming-tools",
        "This model doesn't support tool use in streaming mode.",
        asked(toolConfig=tools()),
        asked(toolConfig=tools()),
        model=LLAMA,
        good_model=SONNET,
        operation="ConverseStream",
    ),
    Case(
        "no-caching",
        "You invoked an unsupported model or your request did not allow prompt caching. "
        "See the documentation for more information.",
        asked(system=[text(), POINT]),
        asked(system=[text(), POINT]),
        model="nvidia.nemotron-super-3-120b",
        good_model=SONNET,
    ),
    Case(
        "max-tokens",
        "The maximum tokens you requested exceeds the model limit of 4096. "
        "Try again with a maximum tokens value that is lower than 4096.",
        asked(inferenceConfig={"maxTokens": 4097}),
        asked(inferenceConfig={"maxTokens": 4096}),
        model=OLD_SONNET,
    ),
    Case(
        "tool-schema-format",
        "The format of the value at toolConfig.tools.0.toolSpec.inputSchema.json is invalid. "
        "Provide a json object for the field and try again.",
        asked(toolConfig=tools("{}")),
        asked(toolConfig=tools()),
    ),
    Case(
        "tool-schema-type",
        "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: "
        "object.",
        asked(toolConfig=tools({"properties": {}})),
        asked(toolConfig=tools()),
    ),
    Case(
        "no-image-block",
        f"This model doesn't support the image {NO_BLOCK}",
        asked(user(text(), image())),
        asked(user(text(), image())),
        model=GPT,
        good_model=SONNET,
    ),
    Case(
        "no-document-block",
        f"This model doesn't support the document {NO_BLOCK}",
        asked(user(text(), document())),
        asked(user(text(), document())),
        model=MICRO,
        good_model=NOVA,
    ),
    Case(
        "no-video-block",
        f"This model doesn't support the video {NO_BLOCK}",
        asked(user({"video": {"format": "mp4", "source": {"bytes": "aGk="}}})),
        asked(user({"video": {"format": "mp4", "source": {"bytes": "aGk="}}})),
        good_model=NOVA,
    ),
    Case(
        "no-audio-block",
        f"This model doesn't support the audio {NO_BLOCK}",
        asked(user({"audio": {"format": "wav", "source": {"bytes": "aGk="}}})),
        asked(user({"audio": {"format": "wav", "source": {"bytes": "aGk="}}})),
        good_model="mistral.voxtral-mini-3b-2507",
    ),
    Case(
        "blank-text",
        "The text field in the ContentBlock object at messages.0.content.1 is blank. "
        "Add text to the text field, and try again.",
        asked(user(text(), text(""))),
        asked(user(text(), text("\n"))),
    ),
    Case(
        "no-image-in-result",
        "This model doesn't support the image field for user messages. Remove image and try again.",
        asked(*round_trip(result("a", image())), toolConfig=tools()),
        asked(*round_trip(result("a", image())), toolConfig=tools()),
        model=GPT,
        good_model=SONNET,
    ),
    Case(
        "no-s3",
        "This model doesn't support the s3Uri field. Remove s3Uri and try again.",
        asked(*round_trip(result("a", image(S3))), toolConfig=tools()),
        asked(*round_trip(result("a", image(S3))), toolConfig=tools()),
        good_model=NOVA,
    ),
    Case(
        "document-without-text",
        "A text block must be included when using documents. Add a text block and retry your request.",
        asked(user(document())),
        asked(user(document(), text())),
    ),
    Case(
        "document-name",
        "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, "
        "parentheses, and square brackets. The name can't contain more than one consecutive whitespace "
        "character. Check that the file name conforms to these restrictions and retry your request.",
        asked(user(text(), document("report.pdf"))),
        asked(user(text(), document(" My_report (1) [b]-c "))),
    ),
    Case(
        "first-message",
        "A conversation must start with a user message. "
        "Try again with a conversation that starts with a user message.",
        asked(assistant(), user()),
        asked(assistant(), user()),
        model="us.amazon.nova-2-lite-v1:0",
        good_model=SONNET,
    ),
    Case(
        "alternation",
        "A conversation must alternate between user and assistant roles. "
        "Make sure the conversation alternates between user and assistant roles and try again.",
        asked(user(), user()),
        asked(user(), assistant(), user()),
        catalogue=ENFORCING,
    ),
    Case(
        "empty-content",
        "The content field in the Message object at messages.1 is empty. "
        "Add a ContentBlock object to the content field and try again.",
        asked(user(), {"role": "assistant", "content": []}, user()),
        asked(user(), assistant(), user()),
    ),
    Case(
        "tool-config",
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        asked(*round_trip(result())),
        asked(*round_trip(result()), toolConfig=tools()),
    ),
    Case(
        "tool-input-format",
        "The format of the value at messages.1.content.0.toolUse.input is invalid. "
        "Provide a json object for the field and try again.",
        asked(user(), assistant(call("a", "{}")), user(result()), toolConfig=tools()),
        asked(*round_trip(result()), toolConfig=tools()),
    ),
    Case(
        "tool-result-format",
        "The format of the value at messages.2.content.0.toolResult.content.1.json is invalid. "
        "Provide a json object for the field and try again.",
        asked(*round_trip(result("a", text(), {"json": [1]})), toolConfig=tools()),
        asked(*round_trip(result("a", text(), {"json": {"a": 1}})), toolConfig=tools()),
    ),
    Case(
        "no-status",
        "This model doesn't support the status field. Remove status and try again.",
        asked(*round_trip(result(status="success")), toolConfig=tools()),
        asked(*round_trip(result(status="success")), toolConfig=tools()),
        model=MISTRAL,
        good_model=MICRO,
    ),
    Case(
        "error-result",
        "The content field at messages.2.content.0.toolResult cannot be empty when status value is error.",
        asked(
            *round_trip({"toolResult": {"toolUseId": "a", "content": [], "status": "error"}}),
            toolConfig=tools(),
        ),
        asked(*round_trip(result(status="error")), toolConfig=tools()),
    ),
    Case(
        "mixed-results",
        "messages.2.content: Conversation blocks and tool result blocks cannot be provided in the same turn.",
        asked(*round_trip(result(), text()), toolConfig=tools()),
        asked(*round_trip(result(), text()), toolConfig=tools()),
        model=MISTRAL,
        good_model=MICRO,
    ),
    Case(
        "mixed-calls",
        "messages.1.content: Conversation blocks and tool use blocks cannot be provided in the same turn.",
        asked(user(), assistant(text(), call()), user(result()), toolConfig=tools()),
        asked(*round_trip(result()), toolConfig=tools()),
        model=MISTRAL,
    ),
    Case(
        "missing-results",
        "Expected toolResult blocks at messages.2.content for the following Ids: a, c",
        asked(user(), assistant(call("a"), call("b"), call("c")), user(result("b")), toolConfig=tools()),
        asked(user(), assistant(call("a"), call("b")), user(result("b")), user(result()), toolConfig=tools()),
    ),
    Case(
        "too-many-results",
        "The number of toolResult blocks at messages.2.content exceeds the number of toolUse blocks of "
        "previous turn.",
        asked(*round_trip(result(), result("b")), toolConfig=tools()),
        asked(*round_trip(result()), toolConfig=tools()),
    ),
    Case(
        "total-text",
        f"{PREFIX}too many total text bytes: 9000002 > 9000000",
        asked(user(text("\u00e9" * 4_500_000), text("Hi"))),
        asked(user(text("x" * 9_000))),
    ),
    Case(
        "context-claude",
        f"{PREFIX}Input is too long for requested model.",
        asked(user(text("word " * 200_001))),
        asked(
            user(text("word " * 200_001)),
            additionalModelRequestFields={"anthropic_beta": ["context-1m-2025-08-07"]},
        ),
    ),
    Case(
        "context-nova",
        f"{PREFIX}Input Tokens Exceeded: Number of input tokens exceeds maximum length. "
        "Please update the input to try again.",
        asked(user(text("word " * 128_001))),
        asked(user(text("wordy" * 12_800))),
        model=MICRO,
    ),
    Case(
        "prefill",
        f"{PREFIX}This model does not support assistant message prefill. "
        "The conversation must end with a user message.",
        asked(user(), assistant()),
        asked(user(), assistant()),
        model="us.anthropic.claude-opus-4-6-v1",
        good_model=SONNET,
    ),
    Case(
        "prefill-with-tools",
        f"{PREFIX}Your API request included an `assistant` message in the final position, which would "
        "pre-fill the `assistant` response. When using tools, pre-filling the `assistant` response is not "
        "supported.",
        asked(user(), assistant(), toolConfig=tools()),
        asked(user(), assistant()),
        model=OLD_SONNET,
    ),
    Case(
        "trailing-whitespace",
        f"{PREFIX}messages: final assistant content cannot end with trailing whitespace",
        asked(user(), assistant(text("The answer is: "))),
        asked(user(), assistant(text("The answer is:"))),
    ),
    Case(
        "non-whitespace-text",
        f"{PREFIX}messages: text content blocks must contain non-whitespace text",
        asked(user(text(" "))),
        asked(user(text(" "), text())),
    ),
    Case(
        "too-many-files",
        f"{PREFIX}too many images and documents: 97 + 4 > 100",
        asked(user(text(), *[image()] * 97, *[document()] * 4)),
        asked(user(text(), *[image()] * 97, *[document()] * 3)),
    ),
    Case(
        "one-sampler",
        f"{PREFIX}`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        asked(inferenceConfig={"temperature": 0.5, "topP": 0.9}),
        asked(inferenceConfig={"temperature": 0.5, "topP": 0.9}),
        good_model="us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    ),
    Case(
        "cache-points",
        f"{PREFIX}A maximum of 4 blocks with cache_control may be provided. Found 5.",
        asked(
            user(text(), *[POINT] * 3),
            system=[text(), POINT],
            toolConfig={"tools": [*tools()["tools"], POINT]},
        ),
        asked(user(text(), *[POINT] * 3), system=[text(), POINT]),
    ),
    Case(
        "document-by-s3",
        f"{PREFIX}messages.0.content.1.document.source.type: Field required",
        asked(user(text(), document(source=S3))),
        asked(user(text(), document(source=S3))),
        good_model=NOVA,
    ),
    Case(
        "document-in-result",
        f"{PREFIX}Malformed input request: #/messages/2/content/0: extraneous key [toolResult] is not "
        "permitted, please reformat your input and try again.",
        asked(*round_trip(result("a", document(source=S3))), toolConfig=tools()),
        asked(*round_trip(result("a", document())), toolConfig=tools()),
        model=NOVA,
    ),
    Case(
        "strict-tool-schema",
        f"{PREFIX}tools.0.custom: For 'integer' type, properties maximum, minimum are not supported",
        asked(toolConfig=tools(properties(n={"type": "integer", "minimum": 1, "maximum": 5}), strict=True)),
        asked(toolConfig=tools(properties(n={"type": "integer", "minimum": 1, "maximum": 5}))),
    ),
    Case(
        "output-schema",
        f"{PREFIX}output_config.format.schema: For 'integer' type, property 'multipleOf' is not supported",
        asked(outputConfig=output_schema('{"type": "integer", "multipleOf": 5}')),
        asked(outputConfig=output_schema('{"type": "integer"}')),
    ),
    Case(
        "image-type",
        f"{PREFIX}The detected file MIME type image/jpeg does not match the expected type image/png. "
        "Reformat your input and try again.",
        asked(user(text(), image(kind="png"))),
        asked(user(text(), image())),
        model=NOVA,
    ),
]

by_rule = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)


def named(name: str) -> Rule:
    return next(rule for rule in RULES if rule.name == name)


def judged(case: Case, body: Json, model: str, operation: str = "") -> Refused | FirstFrame | None:
    return judge(Request(operation or case.operation, model, {}, body), "strict", case.catalogue)


def test_every_rule_has_a_case_and_a_name_of_its_own() -> None:
    assert [case.rule for case in CASES] == [rule.name for rule in RULES]
    assert len({rule.name for rule in RULES}) == len(RULES)


@by_rule
def test_a_request_that_breaks_a_rule_is_refused_with_its_text(case: Case) -> None:
    error = named(case.rule).error

    assert judged(case, case.bad, case.model) == Refused(case.rule, error, case.message)


@by_rule
def test_a_request_much_like_it_is_in_order(case: Case) -> None:
    assert judged(case, case.good, case.good_model or case.model) is None


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.operation != "CountTokens"], ids=lambda case: case.rule
)
def test_the_model_refuses_in_the_first_frame_of_a_stream(case: Case) -> None:
    rule = named(case.rule)
    found = judged(case, case.bad, case.model, "ConverseStream")

    expected = FirstFrame(rule.name, case.message)
    assert found == (expected if rule.layer == "model" else Refused(rule.name, rule.error, case.message))


@pytest.mark.parametrize("mode", ["model", "off"])
@by_rule
def test_only_strict_judges(case: Case, mode: Any) -> None:
    assert judge(Request(case.operation, case.model, {}, case.bad), mode, case.catalogue) is None


@by_rule
def test_a_rule_can_be_waived_for_all_models(case: Case) -> None:
    waiving = replace(case.catalogue, waive=frozenset({case.rule}))

    found = judge(Request(case.operation, case.model, {}, case.bad), "strict", waiving)

    assert found is None or found.rule != case.rule


def test_a_rule_can_be_on_or_off_for_one_model() -> None:
    listed = packaged().models[MICRO]
    strict = replace(packaged(), models={MICRO: listed._replace(enforce=frozenset({"alternation"}))})
    lenient = replace(packaged(), models={MICRO: listed._replace(waive=frozenset({"tool-config"}))})

    assert judge(Request("Converse", MICRO, {}, asked(user(), user())), "strict", strict) is not None
    assert judge(Request("Converse", MICRO, {}, asked(*round_trip(result()))), "strict", lenient) is None


def test_the_model_is_looked_at_before_the_messages_and_these_before_the_model_is_asked() -> None:
    everything_wrong = asked(
        assistant(text("")), user(text("x"), *[POINT] * 5), inferenceConfig={"temperature": 1, "topP": 1}
    )
    for model, rule in [("gone", "unknown-model"), (SONNET, "blank-text")]:
        found = judge(Request("ConverseStream", model, {}, everything_wrong))
        assert found is not None
        assert found.rule == rule
    assert [rule.layer for rule in RULES] == sorted(
        (rule.layer for rule in RULES), key=["identifier", "converse", "model"].index
    )


@pytest.mark.parametrize(
    "model_id",
    [
        "anthropic.claude-of-next-year-v9:0",
        "eu.anthropic.claude-of-next-year",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3",
        "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl",
    ],
)
def test_a_model_that_is_not_listed_can_do_everything(model_id: str) -> None:
    blocks = [text(), image(S3), {"video": {"format": "mp4", "source": S3}}]
    body = asked(user(*blocks), assistant(), system=[text()], inferenceConfig={"temperature": 1, "topP": 1})

    assert judge(Request("ConverseStream", model_id, {}, body)) is None


@pytest.mark.parametrize("operation", ["InvokeModel", "InvokeModelWithResponseStream"])
def test_native_calls_get_the_texts_without_the_prefix(operation: str) -> None:
    found = judge(Request(operation, "does-not-exist", {}, {}))

    assert found == Refused(
        "unknown-model", "ValidationException", "The provided model identifier is invalid."
    )
    found = judge(Request(operation, OLD_SONNET, {}, asked(user(), assistant(text("so "))), native={}))
    assert found == Refused(
        "trailing-whitespace",
        "ValidationException",
        "messages: final assistant content cannot end with trailing whitespace",
    )
    assert judge(Request(operation, SONNET, {}, asked(user(text(" "))), native={})) is None


def test_the_services_own_tools_answer_within_the_turn() -> None:
    searched = assistant(
        call("s", type="server_tool_use"), result("s", type="nova_grounding_result"), text("Found it.")
    )
    body = asked(user(), searched, user(), toolConfig={"tools": [{"systemTool": {"name": "nova_grounding"}}]})

    assert judge(Request("ConverseStream", "us.amazon.nova-2-lite-v1:0", {}, body)) is None


def test_a_model_of_the_users_own_is_judged_by_what_is_said_of_it() -> None:
    mine = Model("my-model", "Mine", max_output=10, supports=frozenset({"converse", "streaming"}))
    catalogue = packaged().extended(Catalogue({"my-model": mine}))

    def rule(**config: Json) -> str | None:
        found = judge(Request("Converse", "my-model", {}, asked(**config)), "strict", catalogue)
        return found.rule if found else None

    assert rule() is None
    assert rule(inferenceConfig={"maxTokens": 11}) == "max-tokens"
    assert rule(system=[text()]) == "no-system"
