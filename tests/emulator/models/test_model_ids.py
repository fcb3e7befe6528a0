"""Which ids name what, and which family they belong to."""

import pytest
from converse_emulator.models.model_ids import FAMILIES, GEOGRAPHIES, Identifier, family, family_of, identify

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("model_id", "named"),
    [
        (HAIKU, Identifier("foundation model", HAIKU)),
        ("deepseek.v3.2", Identifier("foundation model", "deepseek.v3.2")),
        ("anthropic.claude-v2:1:200k", Identifier("foundation model", "anthropic.claude-v2:1:200k")),
        (f"us.{HAIKU}", Identifier("inference profile", HAIKU, "us")),
        (f"us-gov.{HAIKU}", Identifier("inference profile", HAIKU, "us-gov")),
        (f"global.{HAIKU}", Identifier("inference profile", HAIKU, "global")),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}", Identifier("foundation model", HAIKU)),
        (f"{ARN}:inference-profile/eu.{HAIKU}", Identifier("inference profile", HAIKU, "eu")),
        (f"{ARN}:application-inference-profile/a1b2c3", Identifier("application inference profile")),
        (f"{ARN}:provisioned-model/abcdefghijkl", Identifier("provisioned throughput")),
        (f"{ARN}:imported-model/abcdefghijkl", Identifier("imported model")),
        (f"{ARN}:custom-model-deployment/abcdefghijkl", Identifier("custom model")),
        (
            f"{ARN}:custom-model/amazon.nova-micro-v1:0:128k/abcdefghijkl",
            Identifier("custom model", "amazon.nova-micro-v1:0:128k"),
        ),
        (f"{ARN}:default-prompt-router/anthropic.claude:1", Identifier("prompt router")),
        (f"{ARN}:prompt/ABCDEFGHIJ:1", Identifier("prompt")),
        ("arn:aws:sagemaker:us-east-1:123456789012:endpoint/mine", Identifier("endpoint")),
        ("arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:imported-model/a", Identifier("imported model")),
    ],
)
def test_an_id_tells_what_it_names(model_id: str, named: Identifier) -> None:
    assert identify(model_id) == named


@pytest.mark.parametrize(
    "model_id",
    [
        "",
        "m",
        "does-not-exist",
        "does-not-exist-model-v1:0",
        "us.amazon.nova-micro-v1:O",  # the letter, recorded as refused
        "acme.answers-v1",
        "mars.amazon.nova-micro-v1:0",
        "us.eu.amazon.nova-micro-v1:0",
        "amazon.",
        "arn:aws:bedrock:us-east-1:123456789012:agent/ABC",
        "arn:aws:bedrock:us-east-1::foundation-model/us.amazon.nova-micro-v1:0",
        f"{ARN}:inference-profile/amazon.nova-micro-v1:0",
        f"{ARN}:inference-profile/nonsense",
    ],
)
def test_what_looks_like_no_id_is_none(model_id: str) -> None:
    assert identify(model_id) is None
    assert family(model_id) == ""


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        (HAIKU, "claude"),
        (f"apac.{HAIKU}", "claude"),
        ("us.amazon.nova-2-lite-v1:0", "nova"),
        ("amazon.nova-canvas-v1:0", "nova-image"),
        ("amazon.titan-text-express-v1", "titan"),
        ("amazon.titan-embed-text-v2:0", "titan-embeddings"),
        ("cohere.command-r-plus-v1:0", "command-r"),
        ("cohere.command-text-v14", "command"),
        ("openai.gpt-oss-20b-1:0", "gpt-oss"),
        ("global.openai.gpt-6-sol", "gpt"),
        (f"{ARN}:inference-profile/us.meta.llama4-scout-17b-instruct-v1:0", "llama"),
        (f"{ARN}:provisioned-model/abcdefghijkl", ""),
    ],
)
def test_the_family_of_an_id_that_no_list_has_to_know(model_id: str, name: str) -> None:
    assert family(model_id) == name


def test_no_family_hides_behind_an_earlier_one() -> None:
    for found in FAMILIES:
        assert family_of(f"{found.prefix}x-1") == found


def test_a_profile_has_at_most_five_models() -> None:
    assert all(1 <= len(regions) <= 5 for regions in GEOGRAPHIES.values())
