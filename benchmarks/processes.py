"""Servers as processes: started on a core of their own, watched through `/proc`, ended by their id."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache" / "bench"
SERVER_CORE, CLIENT_CORE = 0, 1
PATIENCE = 30.0  # seconds for a server to listen


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    pid: int
    port: int

    @property
    def cpu(self) -> float:
        """Seconds of CPU that it and its children used so far."""
        return sum(_cpu(pid) for pid in _family(self.pid))

    @property
    def rss(self) -> int:
        """Bytes of memory that it and its children hold."""
        return sum(_rss(pid) for pid in _family(self.pid))


def started(command: Sequence[str], core: int, **options: Any) -> "subprocess.Popen[bytes]":
    """The command on one core, before others where that may be asked for: they would be in every figure."""
    process = subprocess.Popen(["taskset", "-c", str(core), *command], start_new_session=True, **options)
    with suppress(OSError):  # only root may, and only where sessions are scheduled as groups
        Path(f"/proc/{process.pid}/autogroup").write_text("-10")
    return process


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None, core: int = SERVER_CORE
) -> Iterator[Running]:
    """Run a server until the end of the block, from when it listens."""
    log = CACHE / "server.log"
    with log.open("ab") as output:
        process = started(
            command,
            core,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
    try:
        _wait_for(port, process, log)
        yield Running(process.pid, port)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"{process.args!r} does not listen on port {port}; its output is in {log}")


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [pid, *(each for child in children for each in _family(int(child)))]


def _cpu(pid: int) -> float:
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        total += int(task.read_text().split()[0])
    return total / 1e9


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
