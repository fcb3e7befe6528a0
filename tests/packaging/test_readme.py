"""The README's first test is run as it stands there, and fails with the words that the README shows."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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
