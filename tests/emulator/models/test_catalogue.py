"""The model catalogue: what is packaged, and how ids lead to models."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from converse_emulator.models.catalogue import EVERYTHING, Catalogue, Model, packaged
from converse_emulator.models.model_ids import GEOGRAPHIES, identify

ROOT = Path(__file__).parents[3]
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"


def test_the_packaged_json_is_what_the_yaml_says() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "catalogue.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_packaged_models_are_plausible() -> None:
    listed = packaged().models

    assert len(listed) > 100
    for model in listed.values():
        named = identify(model.id)
        assert named is not None, model.id
        assert named.kind == "foundation model"
        assert re.fullmatch(r"[a-z0-9.:-]{1,140}", model.id)
        assert model.provider, model.id
        assert model.family, model.id
        assert model.supports <= EVERYTHING
        assert set(model.profiles) <= GEOGRAPHIES.keys()
        assert model.on_demand or model.profiles, f"nothing calls {model.id}"
        assert "converse" in model.supports or "tools" not in model.supports, model.id
        assert "tools" in model.supports or "streaming_tools" not in model.supports, model.id
        assert ("vision" in model.supports) <= ("IMAGE" in model.input), model.id
        assert ("EMBEDDING" in model.output) <= (not model.supports), model.id


@pytest.mark.parametrize(
    "model_id",
    [
        HAIKU,
        f"{HAIKU}:48k",
        f"{HAIKU}:200k",
        f"eu.{HAIKU}",
        f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}",
        f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{HAIKU}",
        f"arn:aws:bedrock:us-east-1:123456789012:custom-model/{HAIKU}:200k/abcdefghijkl",
    ],
)
def test_all_forms_of_an_id_lead_to_the_model(model_id: str) -> None:
    assert packaged().find(model_id) is packaged().models[HAIKU]


def test_an_old_id_is_found_with_a_newer_ending() -> None:
    found = packaged().find("amazon.titan-text-express-v1:0:8k")

    assert found is packaged().models["amazon.titan-text-express-v1"]


def test_an_unlisted_model_has_its_family_and_can_do_everything() -> None:
    found = packaged().find("eu.anthropic.claude-of-next-year-v1:0")

    assert found == Model(
        "anthropic.claude-of-next-year-v1:0", "anthropic.claude-of-next-year-v1:0", "Anthropic", "claude"
    )
    assert found.supports == EVERYTHING


def test_an_id_that_does_not_tell_its_model_is_one_of_no_family() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl"

    found = packaged().find(arn)

    assert found is not None
    assert (found.id, found.family, found.provider) == (arn, "", "")


def test_what_looks_like_no_id_leads_nowhere() -> None:
    assert packaged().find("does-not-exist") is None


def test_aliases_lead_to_models_and_profiles() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"
    catalogue = packaged().extended(Catalogue({}, {arn: f"us.{HAIKU}", "test-model": HAIKU}))

    assert catalogue.find(arn) is packaged().models[HAIKU]
    assert catalogue.find("test-model") is packaged().models[HAIKU]


def test_the_later_catalogue_is_right() -> None:
    mine = Model(HAIKU, "Mine")
    first = Catalogue({}, enforce=frozenset({"alternation"}))
    second = Catalogue({HAIKU: mine}, waive=frozenset({"needs-profile"}))

    both = packaged().extended(first).extended(second)

    assert both.find(f"us.{HAIKU}") is mine
    assert both.enforce == frozenset({"alternation"})
    assert both.waive == frozenset({"needs-profile"})


def test_a_model_of_the_users_own_speaks_as_its_family() -> None:
    mine = Model("acme.my-claude", "Mine", family="claude")
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"
    catalogue = packaged().extended(Catalogue({mine.id: mine}, {arn: f"us.{HAIKU}", "mine": mine.id}))

    assert catalogue.base_id(mine.id) == "anthropic.my-claude"
    assert catalogue.base_id("mine") == "anthropic.my-claude"
    assert catalogue.base_id(arn) == f"us.{HAIKU}"
    assert catalogue.base_id(f"us.{HAIKU}") == ""
    assert catalogue.base_id("does-not-exist") == ""
