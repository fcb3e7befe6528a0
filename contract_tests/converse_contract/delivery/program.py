"""The program under test, in whatever language: a Lambda function, or a service that may run already."""

import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from converse_contract.serving import REAL, STARTING, DidNotStart, ended, held_back, last_words

PORT = "{port}"


@dataclass(frozen=True, slots=True)
class Program:
    """`function` is the command of a Lambda function, any that speaks the Runtime API; `service` that of a
    web server, in which `{port}` stands for where it has to listen, or its URL when it runs already.
    """

    function: tuple[str, ...] = ()
    service: tuple[str, ...] | str = ()

    @classmethod
    def of(cls, function: str | None, service: str | None) -> "Program":
        """As a command line says it; a service that is a URL runs already. Raises `ValueError`."""
        runs = service is not None and urlsplit(service).scheme in ("http", "https")
        if service and not runs and PORT not in service:
            raise ValueError(f"{service!r} is neither a URL nor a command with {PORT} in it")
        command = tuple(shlex.split(service or ""))
        return cls(tuple(shlex.split(function or "")), service or "" if runs else command)


REFERENCE = Program(
    (sys.executable, "-m", "converse_handler.lambda_runtime"),
    (sys.executable, "-m", "converse_handler", "--port", PORT),
)


def without_real_aws(command: tuple[str, ...]) -> list[str]:
    """The command, in an environment that has nothing in it which leads to the real AWS."""
    removed = [word for name in REAL if name in os.environ for word in ("-u", name)]
    return ["env", *removed, *command] if removed else list(command)


@contextmanager
def running(service: tuple[str, ...] | str, env: Mapping[str, str]) -> Iterator[str]:
    """The service's URL, once it accepts connections. Raises `DidNotStart`."""
    if isinstance(service, str):
        yield service.rstrip("/")
        return
    port = _free_port()
    command = [word.replace(PORT, str(port)) for word in service]
    process = None
    with tempfile.TemporaryFile() as output:
        try:
            with held_back():
                process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)
            deadline = time.monotonic() + STARTING
            while not _accepts(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise DidNotStart(f"{shlex.join(command)} did not get ready: {last_words(output)}")
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port}"
        finally:
            if process:
                ended(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
        return True
    return False
