"""The README's first test is run as it stands there, and fails with the words that the README shows."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_first_screen_has_the_test_its_output_and_the_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:30])
    for needed in ("def test_", "DID NOT RAISE", "make demo", "make test"):
        assert needed in first_screen


def test_the_first_test_fails_as_the_readme_says(
    tmp_path: Path, blocks: Callable[[str, str], list[str]]
) -> None:
    (tmp_path / "test_readme.py").write_text(blocks("README.md", "python")[0])
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    assert blocks("README.md", "")[0].strip() in run.stdout


HEAD = """import my_app
from converse_emulator import Emulator
from converse_emulator.strategies import replies
from hypothesis import given, settings

"""
PROFILE = """from hypothesis import settings

settings.register_profile("brief", max_examples=40, database=None)
settings.load_profile("brief")
"""
# An application's chat; `{failed}` says whether it noticed that the answer is not whole.
APP = """from types import SimpleNamespace

import boto3
from botocore.config import Config


def ask(prompt, endpoint):
    client = boto3.client("bedrock-runtime", endpoint_url=endpoint, region_name="us-east-1",
                          aws_access_key_id="default", aws_secret_access_key="dummy",
                          config=Config(retries={{"total_max_attempts": 1}}))
    chat, stopped, broken = SimpleNamespace(text="", failed=True), False, False
    try:
        messages = [{{"role": "user", "content": [{{"text": prompt}}]}}]
        stream = client.converse_stream(modelId="amazon.nova-lite-v1:0", messages=messages)["stream"]
        for event in stream:
            if stopped and "metadata" not in event:
                break
            chat.text += event.get("contentBlockDelta", {{}}).get("delta", {{}}).get("text", "")
            stopped |= "messageStop" in event
    except Exception:
        broken = True
    finally:
        client.close()
    chat.failed = {failed}
    return chat
"""


@pytest.mark.parametrize(("failed", "passes"), [("broken or not stopped", True), ("broken", False)])
def test_the_property_holds_for_who_waits_for_message_stop(
    tmp_path: Path, blocks: Callable[[str, str], list[str]], failed: str, passes: bool
) -> None:
    (tmp_path / "my_app.py").write_text(APP.format(failed=failed))
    (block,) = (block for block in blocks("README.md", "python") if "@given" in block)
    (tmp_path / "test_property.py").write_text(HEAD + block)
    (tmp_path / "conftest.py").write_text(PROFILE)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == (0 if passes else 1), run.stdout + run.stderr
    smallest = re.search(r"reply ?= ?(\[.*\])", run.stdout)
    assert passes or (smallest and len(ast.literal_eval(smallest[1])) == 2), run.stdout
