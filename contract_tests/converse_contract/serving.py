"""Starts servers as processes of their own on free ports, and takes them down again.

The suite knows a handler by its URL only; here is how one that comes with this project gets one.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from signal import SIGINT, SIGTERM
from typing import IO

from converse_contract.case import Limits

STARTING, ENDING = 60.0, 10.0  # seconds

# Nothing of the real AWS may get into a process that talks to the emulator.
REAL = ("AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL")


class DidNotStart(Exception):
    """The server ended, or said nothing; the text has its last words."""


def environment(emulator: str, limits: Limits) -> Mapping[str, str]:
    """The environment of a handler that uses this emulator as its Bedrock and keeps these limits."""
    own = {name: value for name, value in os.environ.items() if name not in REAL}
    return own | {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": emulator,
        "AWS_ACCESS_KEY_ID": "contract",
        "AWS_SECRET_ACCESS_KEY": "contract",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "CHAT_FIRST_BYTE_TIMEOUT": str(limits.first_byte),
        "CHAT_BETWEEN_BYTES_TIMEOUT": str(limits.between_bytes),
        "CHAT_TOTAL_TIMEOUT": str(limits.total),
        "CHAT_TOOL_TIMEOUT": str(limits.tool),
        "CHAT_HEARTBEAT": str(limits.heartbeat),
        "CHAT_ATTEMPTS": str(limits.attempts),
        "CHAT_TOOL_ROUNDS": str(limits.tool_rounds),
        "CHAT_BACKOFF": "0.05",
    }


@contextmanager
def serving(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run `python -m module arguments`, which says `ready URL` as its first line; yields the URL."""
    command = [sys.executable, "-m", module, *arguments]
    process = None
    with tempfile.TemporaryFile() as output:
        try:
            with held_back():
                process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)
            yield _ready(process, output, module)
        finally:
            if process:
                ended(process)


@contextmanager
def held_back() -> Iterator[None]:
    """A signal that comes meanwhile comes afterwards: else it could end us with a process nobody knows of."""
    if threading.current_thread() is not threading.main_thread():
        yield  # where signals never come
        return
    came: list[int] = []
    usual = {one: signal.signal(one, lambda number, _: came.append(number)) for one in (SIGINT, SIGTERM)}
    try:
        yield
    finally:
        for one, handler in usual.items():
            signal.signal(one, handler)
        for number in came:
            signal.raise_signal(number)


def ended(process: subprocess.Popen[bytes]) -> None:
    """End it; by force if it does not."""
    process.terminate()
    try:
        process.wait(ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ready(process: subprocess.Popen[bytes], output: IO[bytes], module: str) -> str:
    deadline = time.monotonic() + STARTING
    while process.poll() is None and time.monotonic() < deadline:
        for line in _said(output).splitlines(keepends=True):
            if line.startswith("ready ") and line.endswith("\n"):
                return line.removeprefix("ready ").strip()
        time.sleep(0.02)
    raise DidNotStart(f"python -m {module} did not get ready: {last_words(output)}")


def last_words(output: IO[bytes]) -> str:
    """The end of what a process has printed."""
    return "\n".join(_said(output).splitlines()[-10:]) or "it said nothing"


def _said(output: IO[bytes]) -> str:
    size = os.fstat(output.fileno()).st_size
    return os.pread(output.fileno(), size, 0).decode("utf-8", "replace")
