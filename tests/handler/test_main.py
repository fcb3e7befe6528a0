"""`python -m converse_handler`, as a process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from converse_emulator import Session

COMMAND = [sys.executable, "-m", "converse_handler"]
ASKED = {"messages": [{"role": "user", "content": "hi"}]}


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The process and the URL of its first line."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    with process:
        try:
            assert process.stdout is not None
            ready = re.fullmatch(r"ready (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
            assert ready
            yield process, ready[1]
        finally:
            process.kill()


def ended(process: "subprocess.Popen[str]", by: int) -> tuple[int, str, str]:
    process.send_signal(by)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_a_signal_ends_it(bedrock: Session, by: int) -> None:
    bedrock.play("Hello")
    with started() as (process, url):
        answer = httpx.post(f"{url}/chat", json=ASKED, timeout=30, trust_env=False)
        assert '"text":"Hello"' in answer.text
        code, out, err = ended(process, by)
    assert (code, out) == (0, "")
    (line,) = err.splitlines()
    assert json.loads(line)["ended"] == "end_turn"


def test_an_open_stream_does_not_keep_it_alive(bedrock: Session) -> None:
    bedrock.play([{"text": "Hello"}, {"wait": "forever"}])
    with (
        started(CHAT_BETWEEN_BYTES_TIMEOUT="600") as (process, url),
        httpx.Client(trust_env=False, timeout=60) as client,
        client.stream("POST", f"{url}/chat", json=ASKED) as answer,
    ):
        texts = answer.iter_text()
        assert next(texts)
        assert ended(process, signal.SIGTERM)[0] == 0
    assert bedrock.journal.wait(1)[0].ended == "client left"


def refused(*arguments: str, **environment: str) -> Any:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def test_settings_that_are_wrong_are_told(bedrock: Session) -> None:  # noqa: ARG001 (for its environment)
    process = refused("--port", "0", CHAT_HEARTBEAT="soon")
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr == "CHAT_HEARTBEAT is 'soon'; allowed is a number of seconds above 0\n"


def test_an_environment_without_a_region_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    process = refused("--port", "0", AWS_CONFIG_FILE=os.devnull)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == "no client for Bedrock: You must specify a region.\n"


def test_a_port_that_is_taken_is_told(bedrock: Session) -> None:  # noqa: ARG001 (for its environment)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = refused("--port", str(port))
    assert process.returncode == 2
    assert process.stderr.startswith(f"cannot serve on 127.0.0.1:{port}: ")
    assert "Traceback" not in process.stderr
