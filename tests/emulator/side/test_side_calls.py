"""The operations besides inference, over real sockets with boto3."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from converse_emulator import Emulator
from converse_emulator.models.model_ids import identify
from converse_emulator.shapes.service import find_operation
from converse_emulator.side.side_calls import input_of, region_of

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
APPLICATION = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"
ASKED: Any = [{"role": "user", "content": [{"text": "When does my subscription renew?"}]}]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    models = tmp_path_factory.mktemp("models") / "models.yaml"
    models.write_text(f"aliases:\n  {APPLICATION}: us.{HAIKU}\n")
    with Emulator(models=models) as running:
        yield running


@pytest.fixture
def control(emulator: Emulator) -> Iterator[Any]:
    with closing(control_client(f"{emulator.endpoint_url}/session/lists")) as client:
        yield client


def control_client(url: str, region: str = "us-east-1") -> Any:
    return boto3.client(
        "bedrock",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id="default",
        aws_secret_access_key="dummy",
        config=Config(signature_version="v4", proxies={}),
    )


def test_a_framework_finds_its_models(control: Any, emulator: Emulator) -> None:
    summaries = control.list_foundation_models(byProvider="Anthropic", byInferenceType="ON_DEMAND")

    ids = {summary["modelId"] for summary in summaries["modelSummaries"]}
    assert "anthropic.claude-3-haiku-20240307-v1:0" in ids
    assert HAIKU not in ids
    details = control.get_foundation_model(modelIdentifier=HAIKU)["modelDetails"]
    assert details["modelArn"] == f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}"
    exchange = emulator.session("lists").journal.last
    assert (exchange.operation, exchange.status) == ("GetFoundationModel", 200)


def test_profiles_come_in_pages(control: Any) -> None:
    paginator = control.get_paginator("list_inference_profiles")
    pages = list(paginator.paginate(typeEquals="SYSTEM_DEFINED", PaginationConfig={"PageSize": 7}))

    profiles = [each for page in pages for each in page["inferenceProfileSummaries"]]
    assert len(pages) == -(-len(profiles) // 7) > 1
    assert len({each["inferenceProfileId"] for each in profiles}) == len(profiles)
    assert all(identify(each["inferenceProfileArn"]) for each in profiles)
    assert profiles[0]["createdAt"].year == 2025


def test_the_region_is_the_one_that_the_call_is_signed_for(emulator: Emulator) -> None:
    with closing(control_client(emulator.endpoint_url, "eu-central-1")) as client:
        profiles = client.list_inference_profiles()["inferenceProfileSummaries"]

    ids = [each["inferenceProfileId"] for each in profiles if each["type"] == "SYSTEM_DEFINED"]
    assert {each.partition(".")[0] for each in ids} == {"eu", "global"}


def test_an_application_profile_leads_to_its_model(control: Any, emulator: Emulator) -> None:
    profile = control.get_inference_profile(inferenceProfileIdentifier=APPLICATION)

    assert profile["type"] == "APPLICATION"
    assert profile["models"][0]["modelArn"].rpartition("/")[2] == HAIKU
    emulator.play("Hello")
    assert emulator.client().converse(modelId=APPLICATION, messages=ASKED)["usage"]["outputTokens"] > 0


def test_what_does_not_exist(control: Any) -> None:
    with pytest.raises(control.exceptions.ResourceNotFoundException):
        control.get_foundation_model(modelIdentifier="anthropic.claude-of-next-year")
    with pytest.raises(control.exceptions.ResourceNotFoundException):
        control.get_inference_profile(inferenceProfileIdentifier="us.anthropic.claude-of-next-year")


def test_a_filter_that_is_none(emulator: Emulator) -> None:
    config = Config(signature_version="v4", proxies={}, parameter_validation=False)
    with closing(control_client(emulator.endpoint_url)) as plain:
        client = boto3.client(
            "bedrock",
            endpoint_url=plain.meta.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="default",
            aws_secret_access_key="dummy",
            config=config,
        )
    with closing(client), pytest.raises(client.exceptions.ValidationException) as caught:
        client.list_foundation_models(byOutputModality="SMELL")
    assert "'byOutputModality' failed to satisfy constraint: Member must satisfy enum value set" in str(
        caught.value
    )


def test_counting_is_what_the_usage_says(emulator: Emulator) -> None:
    client = emulator.client()
    emulator.play("On the first.")

    counted = client.count_tokens(modelId=HAIKU, input={"converse": {"messages": ASKED}})
    answered = client.converse(modelId=f"us.{HAIKU}", messages=ASKED)

    assert counted["inputTokens"] == answered["usage"]["inputTokens"]
    with pytest.raises(client.exceptions.ValidationException, match="doesn't support counting tokens"):
        client.count_tokens(modelId=f"us.{HAIKU}", input={"converse": {"messages": ASKED}})


def test_a_guardrail(emulator: Emulator) -> None:
    client = emulator.client()

    def action(text: str) -> str:
        applied = client.apply_guardrail(
            guardrailIdentifier="abc",
            guardrailVersion="DRAFT",
            source="INPUT",
            content=[{"text": {"text": text}}],
        )
        return str(applied["action"])

    assert action("Hello") == "NONE"
    assert action("Hello [[guardrail: hello]]") == "GUARDRAIL_INTERVENED"


def test_an_asynchronous_invocation(emulator: Emulator) -> None:
    client = emulator.client()
    output = {"s3OutputDataConfig": {"s3Uri": "s3://bucket/films"}}

    arn = client.start_async_invoke(
        modelId="amazon.nova-reel-v1:0", modelInput={"prompt": "a film"}, outputDataConfig=output
    )["invocationArn"]

    assert [client.get_async_invoke(invocationArn=arn)["status"] for _ in range(2)] == [
        "InProgress",
        "Completed",
    ]
    listed = client.list_async_invokes(statusEquals="Completed", maxResults=1)["asyncInvokeSummaries"]
    assert [each["invocationArn"] for each in listed] == [arn]
    with pytest.raises(client.exceptions.ValidationException, match="identifier is invalid"):
        client.start_async_invoke(modelId="does-not-exist", modelInput={}, outputDataConfig=output)
    emulator.reset()
    assert client.list_async_invokes()["asyncInvokeSummaries"] == []


def test_the_input_is_gathered_from_path_query_and_body() -> None:
    operation, _ = find_operation("GET", "/inference-profiles")
    assert input_of(operation, "/inference-profiles", "maxResults=5&type=APPLICATION&x=1", {}) == {
        "maxResults": 5,
        "typeEquals": "APPLICATION",
    }
    assert input_of(operation, "/inference-profiles", "maxResults=many&nextToken=a%3D", {}) == {
        "maxResults": "many",
        "nextToken": "a=",
    }
    path = "/guardrail/abc/version/1/apply"
    operation, _ = find_operation("POST", path)
    assert input_of(operation, path, "", {"source": "INPUT"}) == {
        "source": "INPUT",
        "guardrailIdentifier": "abc",
        "guardrailVersion": "1",
    }


@pytest.mark.parametrize(
    ("authorization", "region"),
    [
        (
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/bedrock/aws4_request, Signature=0",
            "eu-west-1",
        ),
        ("Bearer token", "us-east-1"),
        ("", "us-east-1"),
    ],
)
def test_the_region_of_a_request(authorization: str, region: str) -> None:
    assert region_of({"authorization": authorization}) == region
