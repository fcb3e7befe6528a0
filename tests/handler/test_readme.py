"""The handler's README tells the truth."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import get_args

from converse_handler import Settings, sse, turn
from converse_handler.events import (
    BlockStarted,
    BlockStopped,
    Event,
    Failed,
    Finished,
    Started,
    Text,
    Thinking,
    ToolFinished,
    ToolStarted,
)
from converse_handler.failures import POLICIES
from converse_handler.metrics import Metrics

README = (Path(__file__).parents[2] / "reference_handler" / "README.md").read_text()


def table(heading: str) -> list[list[str]]:
    """The rows of the table with this heading, backticks taken off."""
    (found,) = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found.splitlines()]


def test_the_codes() -> None:
    told = {code.strip("`"): retryable == "yes" for code, retryable, _ in table("code")}
    assert told == {code: policy.retryable for code, policy in POLICIES.items()}


def test_the_settings() -> None:
    told = {name.strip("`"): default for name, default, _ in table("variable")}
    assert told == {f"CHAT_{member.name.upper()}": str(member.default) for member in fields(Settings)}


def test_the_events_and_their_members() -> None:
    told = {
        name.strip("`"): set(re.findall(r"`(\w+)`(?:,|:|$)", members)) & KNOWN
        for name, members, _ in table("event")
    }
    assert told == {
        str(body.pop("type")): set(body) for event in SAMPLES if (body := dict(sse.payload(event)))
    }
    assert {type(event) for event in SAMPLES} | {Thinking} == set(get_args(Event))


SAMPLES: list[Event] = [
    Started("msg_1"),
    BlockStarted(0, "text"),
    Text(0, "a"),
    BlockStopped(0),
    ToolStarted("t", "n", "l"),
    ToolFinished("t", "n", None),
    Finished("end_turn", False, None),
    Failed("throttled", "Busy.", True, False),
]
KNOWN = {member for event in SAMPLES for member in sse.payload(event)}


def test_the_stop_reasons() -> None:
    told = {name for row in table("stop reason") for name in re.findall(r"`(\w+)`", row[0])}
    assert told == set(turn.STOP_REASONS)


def test_the_metrics() -> None:
    told = {re.sub(r"{.*|_total|`", "", name) for name, _ in table("metric")}
    assert told == {metric.name for metric in Metrics().registry.collect()}


def test_the_files() -> None:
    told = {name for row in table("file") for name in re.findall(r"`(\w+\.py)`", row[0])}
    package = Path(__file__).parents[2] / "reference_handler" / "converse_handler"
    assert {path.name for path in package.glob("*.py")} - told == {
        "__init__.py",
        "__main__.py",
        "demo_tools.py",
    }


def code(language: str) -> str:
    """The one block of code in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return str(found)


def started(command: Sequence[str], **environment: str) -> str:
    """What the function's process says where there is no Lambda."""
    clean = {name: value for name, value in os.environ.items() if name != "AWS_LAMBDA_RUNTIME_API"}
    process = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**clean, **environment}
    )
    return process.stderr


def test_the_images_entrypoint_starts_the_function() -> None:
    python, *arguments = json.loads(code("dockerfile").split("ENTRYPOINT ")[1])
    assert python == "python"
    assert started([sys.executable, *arguments]).startswith("AWS_LAMBDA_RUNTIME_API is not set")


def test_the_zips_script_starts_the_function(tmp_path: Path) -> None:
    script = tmp_path / "stream.sh"
    script.write_text(code("sh"))
    script.chmod(0o755)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    assert started([str(script)], PATH=path).startswith("AWS_LAMBDA_RUNTIME_API is not set")


def test_the_image_has_what_the_function_imports() -> None:
    """Whatever is loaded comes from one of the packages that are installed, or from what they need."""
    (line,) = re.findall(r"^RUN pip install (.*)$", code("dockerfile"), re.MULTILINE)
    needed, todo = set(), line.split()
    while todo:
        if (name := re.split(r"[^\w.-]", todo.pop())[0].lower().replace("_", "-")) not in needed:
            needed.add(name)
            with contextlib.suppress(PackageNotFoundError):  # for another Python or another system
                todo += requires(name) or []
    program = (
        "import sys, converse_handler.lambda_runtime; print(*{name.split('.')[0] for name in sys.modules})"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    homes = packages_distributions()
    loaded = {
        home.lower().replace("_", "-") for name in process.stdout.split() for home in homes.get(name, [])
    }
    assert loaded - needed - {"converse-emulator"} == set()
