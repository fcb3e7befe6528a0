"""The YAML of model catalogues: what users may write, and what they hear of mistakes."""

from pathlib import Path

import pytest
from converse_emulator.errors import ScenarioError
from converse_emulator.models.catalogue import EVERYTHING, Model, Prices
from converse_emulator.models.model_file import load_catalogue


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "models.yaml"
    path.write_text(text)
    return path


def test_a_users_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        models:
          acme.answers-v1:
            name: Answers
            provider: Acme
            family: acme
            context: 8000
            max_output: 1000
            input: [TEXT, IMAGE]
            output: [TEXT]
            supports: [converse, streaming, vision]
            profiles: [us, global]
            on_demand: false
            legacy: true
            prices: {input: 1, output: 2.5}
            waive: [document-name]
            enforce: [alternation]
          anthropic.claude-next: {}
        aliases:
          test-model: us.anthropic.claude-next
        waive: [needs-profile]
        enforce: [alternation]
        """,
    )

    catalogue = load_catalogue(path)

    assert catalogue.models == {
        "acme.answers-v1": Model(
            "acme.answers-v1",
            "Answers",
            "Acme",
            "acme",
            8000,
            1000,
            ("TEXT", "IMAGE"),
            ("TEXT",),
            frozenset({"converse", "streaming", "vision"}),
            ("us", "global"),
            on_demand=False,
            legacy=True,
            prices=Prices(1, 2.5),
            enforce=frozenset({"alternation"}),
            waive=frozenset({"document-name"}),
        ),
        "anthropic.claude-next": Model(
            "anthropic.claude-next", "anthropic.claude-next", "Anthropic", "claude", supports=EVERYTHING
        ),
    }
    assert catalogue.aliases == {"test-model": "us.anthropic.claude-next"}
    assert catalogue.enforce == frozenset({"alternation"})
    assert catalogue.waive == frozenset({"needs-profile"})


def test_every_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "models:\n"
        "  acme.answers-v1:\n"
        "    max_output: none\n"
        "    supports: [streeming]\n"
        "    price: 1\n"
        "waive: [no-such-rule]\n",
    )

    with pytest.raises(ScenarioError) as caught:
        load_catalogue(path)

    told = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in sorted(told)] == [
        f"{path}:3:17",
        f"{path}:4:16",
        f"{path}:5:5",
        f"{path}:6:9",
    ]
    assert "did you mean 'streaming'?" in str(caught.value)
    assert "did you mean 'prices'?" in str(caught.value)
    assert "unknown-model, needs-profile" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read: No such file"):
        load_catalogue(tmp_path / "gone.yaml")
