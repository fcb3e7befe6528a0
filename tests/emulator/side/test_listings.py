"""The control plane's lists, against the service model's own shapes."""

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from converse_emulator.http.refusals import ServiceError
from converse_emulator.models.catalogue import Catalogue, packaged
from converse_emulator.side.listings import (
    get_foundation_model,
    get_inference_profile,
    list_foundation_models,
    list_inference_profiles,
)

REGION = "us-east-1"
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
APPLICATION = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"
SERVICE = botocore.session.get_session().get_service_model("bedrock")


def models(**filters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = list_foundation_models(filters, packaged(), REGION)["modelSummaries"]
    return found


def profiles(
    region: str = REGION, catalogue: Catalogue | None = None, **filters: Any
) -> list[dict[str, Any]]:
    answer = list_inference_profiles(filters, catalogue or packaged(), region)
    found: list[dict[str, Any]] = answer["inferenceProfileSummaries"]
    return found


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("ListFoundationModels", {"modelSummaries": models()}),
        ("ListInferenceProfiles", {"inferenceProfileSummaries": profiles()}),
        (
            "GetFoundationModel",
            get_foundation_model({"modelIdentifier": HAIKU}, packaged(), REGION),
        ),
        (
            "GetInferenceProfile",
            get_inference_profile({"inferenceProfileIdentifier": f"us.{HAIKU}"}, packaged(), REGION),
        ),
    ],
)
def test_the_answers_have_the_shapes_of_the_service_model(operation: str, answer: Any) -> None:
    shape = SERVICE.operation_model(operation).output_shape

    report = ParamValidator().validate(_with_datetimes(answer), shape)

    assert not report.has_errors(), report.generate_report()


def _with_datetimes(value: Any) -> Any:
    """The same with what is a timestamp by its name as one, as a client would have it."""
    match value:
        case dict():
            return {k: 0 if k in ("createdAt", "updatedAt") else _with_datetimes(v) for k, v in value.items()}
        case list():
            return [_with_datetimes(item) for item in value]
        case _:
            return value


def test_a_model_is_described() -> None:
    details = get_foundation_model({"modelIdentifier": HAIKU}, packaged(), "eu-west-1")["modelDetails"]

    assert details == {
        "modelArn": f"arn:aws:bedrock:eu-west-1::foundation-model/{HAIKU}",
        "modelId": HAIKU,
        "modelName": "Claude Haiku 4.5",
        "providerName": "Anthropic",
        "inputModalities": ["TEXT", "IMAGE"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": True,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["INFERENCE_PROFILE"],
        "modelLifecycle": {"status": "ACTIVE"},
    }
    by_arn = {"modelIdentifier": details["modelArn"]}
    assert get_foundation_model(by_arn, packaged(), "eu-west-1")["modelDetails"] == details


def test_the_filters() -> None:
    assert {each["providerName"] for each in models(byProvider="anthropic")} == {"Anthropic"}
    embeddings = models(byOutputModality="EMBEDDING")
    assert {each["modelId"] for each in embeddings} >= {"amazon.titan-embed-text-v2:0", "cohere.embed-v4:0"}
    assert all(each["outputModalities"] == ["EMBEDDING"] for each in embeddings)
    on_demand = {each["modelId"] for each in models(byInferenceType="ON_DEMAND")}
    assert "amazon.nova-micro-v1:0" in on_demand
    assert HAIKU not in on_demand
    assert models(byCustomizationType="FINE_TUNING") == []
    assert len(models()) == len(packaged().models)


def test_a_model_that_does_not_exist() -> None:
    with pytest.raises(ServiceError, match="Could not resolve the foundation model") as caught:
        get_foundation_model({"modelIdentifier": "anthropic.claude-of-next-year"}, packaged(), REGION)
    assert caught.value.name == "ResourceNotFoundException"


def test_a_profile_is_described() -> None:
    wanted = {"inferenceProfileIdentifier": f"us.{HAIKU}"}

    found = get_inference_profile(wanted, packaged(), REGION)

    assert found["inferenceProfileName"] == "US Anthropic Claude Haiku 4.5"
    assert found["description"] == (
        "Routes requests to Anthropic Claude Haiku 4.5 in us-east-1, us-east-2 and us-west-2."
    )
    assert (
        found["inferenceProfileArn"] == f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{HAIKU}"
    )
    assert [model["modelArn"] for model in found["models"]] == [
        f"arn:aws:bedrock:{region}::foundation-model/{HAIKU}"
        for region in ("us-east-1", "us-east-2", "us-west-2")
    ]
    assert (found["type"], found["status"]) == ("SYSTEM_DEFINED", "ACTIVE")
    by_arn = {"inferenceProfileIdentifier": found["inferenceProfileArn"]}
    assert get_inference_profile(by_arn, packaged(), REGION) == found


@pytest.mark.parametrize(
    ("region", "prefixes"),
    [
        ("us-east-1", {"us", "global"}),
        ("eu-central-1", {"eu", "global"}),
        ("ap-northeast-1", {"apac", "jp", "global"}),
        ("sa-east-1", {"global"}),
    ],
)
def test_a_region_has_the_profiles_of_its_geography(region: str, prefixes: set[str]) -> None:
    assert {each["inferenceProfileId"].partition(".")[0] for each in profiles(region)} == prefixes


def test_application_profiles_are_aliases_of_the_catalogue() -> None:
    catalogue = packaged().extended(Catalogue({}, {APPLICATION: f"us.{HAIKU}", "test-model": HAIKU}))

    [mine] = profiles(catalogue=catalogue, typeEquals="APPLICATION")

    assert mine["inferenceProfileArn"] == APPLICATION
    assert mine["models"][0]["modelArn"] == f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}"
    for wanted in (APPLICATION, "a1b2c3"):
        assert get_inference_profile({"inferenceProfileIdentifier": wanted}, catalogue, REGION) == mine
    assert mine not in profiles(catalogue=catalogue, typeEquals="SYSTEM_DEFINED")
    assert mine in profiles(catalogue=catalogue)


@pytest.mark.parametrize("wanted", [HAIKU, f"ca.{HAIKU}", "gone", APPLICATION])
def test_a_profile_that_does_not_exist(wanted: str) -> None:
    with pytest.raises(ServiceError, match="inference profile identifier") as caught:
        get_inference_profile({"inferenceProfileIdentifier": wanted}, packaged(), REGION)
    assert caught.value.name == "ResourceNotFoundException"
