"""AWS's runtime interface emulator: Lambda's own supervisor of runtimes, and a buffered invoke in front."""

import json
import platform
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.hops.real_peers import folder_of_peer

MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
INVOKE = "2015-03-31/functions/function/invocations"


class Rie:
    """A function in it; `url` is where it is invoked, always in one piece."""

    def __init__(self, address: str) -> None:
        self.url = f"http://{address}/{INVOKE}"

    def invoke(self, event: Any) -> httpx.Response:
        return httpx.post(self.url, json=event, timeout=60, trust_env=False)


@contextmanager
def rie(command: Sequence[str], cwd: Path | None = None) -> Iterator[Rie]:
    """Run a function's program in it. Skips the test without it."""
    folder = folder_of_peer("aws-lambda-rie") / "samcli" / "local" / "rapid"
    program = folder / f"aws-lambda-rie-{MACHINES.get(platform.machine(), 'x86_64')}"
    program.chmod(0o755)
    runtime_api, invoke = _free_address(), _free_address()
    addresses = ["--runtime-api-address", runtime_api, "--runtime-interface-emulator-address", invoke]
    with subprocess.Popen(
        [program, *addresses, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=cwd
    ) as process:
        try:
            _await(invoke)
            yield Rie(invoke)
        finally:
            process.terminate()  # it ends the program, too


def _free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def _await(address: str) -> None:
    host, port = address.split(":")
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=60).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "the emulator never listened"
            time.sleep(0.02)


def split(body: bytes) -> tuple[Any, bytes]:
    """The prelude and what follows its eight NUL bytes."""
    prelude, _, rest = body.partition(bytes(8))
    return json.loads(prelude), rest
