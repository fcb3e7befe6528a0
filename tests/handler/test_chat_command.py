"""`make chat`: one page, and behind it every path there is."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.handler.test_page import reaches, shows

pytestmark = pytest.mark.xdist_group("chromium")

COMMAND = Path(__file__).parents[2] / "tools" / "chat.py"
TEXT = "Your subscription renews on 1 March."
PATHS = ("this service", "Function URL", "REST API", "The illusion", "WebSocket API", "AppSync Events")


@pytest.fixture(scope="module")
def chat() -> Iterator[str]:
    """The page's address."""
    process = subprocess.Popen([sys.executable, COMMAND], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        said = process.stdout.readline()
        assert said.startswith("chat page"), said
        yield said.split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_all_paths_are_offered(chat: str) -> None:
    offered = httpx.get(f"{chat}paths", trust_env=False).json()
    assert tuple(path["name"] for path in offered) == PATHS


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_comes_over_each(chat: str, page: Any, path: str) -> None:
    page.goto(f"{chat}#path={path}")
    page.locator(f"select:has(option:text-is('{path}'))").wait_for()
    page.get_by_test_id("prompt").fill("Hello? [[scenario: text/short-answer]]")
    page.keyboard.press("Enter")
    answer = page.get_by_test_id("assistant").last
    reaches(answer, "done")
    assert page.get_by_test_id("path").input_value() == path
    shows(answer.get_by_test_id("text"), TEXT)
    assert answer.get_by_test_id("facts").text_content().endswith(f" · over {path}")
