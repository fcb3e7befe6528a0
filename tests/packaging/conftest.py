"""What the tests of the pages share."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def blocks() -> Callable[[str, str], list[str]]:
    """The fenced blocks of a language in a page, by the page's path from the repository's root."""

    def found(page: str, language: str) -> list[str]:
        text = (ROOT / page).read_text()
        fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        return [content for name, content in fenced if name == language]

    return found
