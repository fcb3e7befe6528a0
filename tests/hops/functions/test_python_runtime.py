"""The real runtime client of the managed Python runtime over our Runtime API. It cannot stream."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from converse_hops import Function

HANDLERS = """
def ordinary(event, context):
    return {"statusCode": 200, "headers": {"content-type": "text/event-stream"}, "body": "data: hi\\n\\n",
            "remaining": context.get_remaining_time_in_millis() > 800_000}

def throws(event, context):
    raise RuntimeError("boom")

def generator(event, context):
    yield "data: hi\\n\\n"
"""


@pytest.fixture
def managed(tmp_path: Path) -> Iterator[Callable[[str], Function]]:
    """A function on the managed Python runtime, by its handler's name."""
    pytest.importorskip("awslambdaric")
    (tmp_path / "app.py").write_text(HANDLERS)
    started: list[Function] = []

    def start(handler: str) -> Function:
        command = [sys.executable, "-m", "awslambdaric", f"app.{handler}"]
        started.append(Function(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}).start())
        return started[-1]

    yield start
    for function in started:
        function.stop()


def test_an_ordinary_handler_answers(managed: Callable[[str], Function], client: Callable[..., Any]) -> None:
    response = client(managed("ordinary")).invoke(FunctionName="function")
    answer = json.loads(response["Payload"].read())
    assert answer["body"] == "data: hi\n\n"
    assert answer["remaining"] is True


def test_a_handler_that_throws_tells_its_stack(
    managed: Callable[[str], Function], client: Callable[..., Any]
) -> None:
    response = client(managed("throws")).invoke(FunctionName="function")
    assert response["FunctionError"] == "Unhandled"
    told = json.loads(response["Payload"].read())
    assert (told["errorType"], told["errorMessage"]) == ("RuntimeError", "boom")
    assert "app.py" in told["stackTrace"][0]


def test_a_generator_cannot_be_marshalled(
    managed: Callable[[str], Function], client: Callable[..., Any]
) -> None:
    response = client(managed("generator")).invoke_with_response_stream(FunctionName="function")
    chunks = [
        event["PayloadChunk"]["Payload"] for event in response["EventStream"] if "PayloadChunk" in event
    ]
    assert json.loads(b"".join(chunks))["errorType"] == "Runtime.MarshalError"


def test_one_that_cannot_be_imported_is_told(
    managed: Callable[[str], Function], client: Callable[..., Any]
) -> None:
    response = client(managed("missing")).invoke(FunctionName="function")
    assert json.loads(response["Payload"].read())["errorType"] == "Runtime.HandlerNotFound"
