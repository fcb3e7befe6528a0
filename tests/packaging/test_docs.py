"""The pages in docs/ tell the truth: generated parts are fresh, examples and error texts are real."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from converse_emulator import ScenarioError
from converse_emulator.language.loader import load_text
from converse_emulator.models.model_file import load_catalogue

ROOT = Path(__file__).parents[2]
Blocks = Callable[[str, str], list[str]]


@pytest.mark.parametrize(
    "tool",
    [
        "conditions_table.py",
        "faults_table.py",
        "fixtures_table.py",
        "language_table.py",
        "models_table.py",
        "evidence_table.py",
        "operations_table.py",
        "rules_table.py",
        "delivery_page.py",
        "wraps_table.py",
    ],
)
def test_a_generated_table_is_fresh(tool: str) -> None:
    subprocess.run([sys.executable, ROOT / "tools" / tool, "--check"], check=True)


def test_the_scenarios_in_the_docs_are_some(blocks: Blocks) -> None:
    first, second = (
        load_text(example, name="docs/example", source="docs/scenarios.md")
        for example in blocks("docs/scenarios.md", "yaml")
    )
    assert len(first.replies) == 2
    assert len(second.instead) == 2


def test_the_literal_chunks_in_the_docs_are_a_scenario(blocks: Blocks) -> None:
    (example,) = blocks("docs/operations.md", "yaml")
    (reply,) = load_text(example, name="docs/example", source="docs/operations.md").replies
    assert len(reply) == 2


def test_the_session_in_the_docs_is_a_scenario(blocks: Blocks) -> None:
    (example,) = blocks("docs/sonic.md", "yaml")
    assert len(load_text(example, name="docs/example", source="docs/sonic.md").replies) == 2


def test_the_mistake_in_the_docs_is_told_like_that(blocks: Blocks) -> None:
    (told,) = (block.strip() for block in blocks("docs/scenarios.md", ""))
    with pytest.raises(ScenarioError) as error:
        load_text(
            "title: Refunds\nhandlers: Show it.\nreply:\n  - txet: hi\n",
            name="refunds",
            source="refunds.yaml",
        )
    assert str(error.value).startswith(told.removesuffix("…"))


@pytest.mark.parametrize(
    ("page", "number"), [("docs/models.md", 0), ("docs/validation.md", 0)], ids=["models", "validation"]
)
def test_the_catalogues_in_the_docs_can_be_read(
    page: str, number: int, blocks: Blocks, tmp_path: Path
) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(blocks(page, "yaml")[number])
    catalogue = load_catalogue(path)
    assert catalogue.models
    assert catalogue.waive == frozenset({"needs-profile"})
