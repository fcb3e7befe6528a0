"""From nothing to the first answer of an installed wheel; memory at rest; what a fixture costs a test."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import material
from benchmarks.peers import Case, aimock_command, aimock_fixture, virtual_environment
from benchmarks.processes import CACHE, HERE, SERVER_CORE, Running, free_port, started
from benchmarks.results import Report, Row, Sample, middle, ratio, rounds

SERVERS = ("emulator", "aimock")


def run(report: Report, count: int) -> None:
    """Measure, and add the rows."""
    found = rounds(report, "start", count, SERVERS, measure)
    report.add(
        Row(
            "start to first answer / aimock",
            ratio(found, "answered_ms", "emulator", "aimock"),
            0.85,
            at_most=True,
        ),
        Row("start to first answer", middle(found, "emulator", "answered_ms"), unit=" ms"),
        Row("memory at rest", middle(found, "emulator", "rss_mb"), 60, at_most=True, unit=" MB"),
    )
    inside = rounds(report, "fixture", count, ("emulator",), lambda _: fixture())
    for key, what, target in (
        ("ready_ms", "fixture ready", 30),
        ("stopped_ms", "fixture stopped", 30),
        ("client_ms", "client() after the first", 10),
    ):
        report.add(Row(what, middle(inside, "emulator", key), target, at_most=True, unit=" ms"))


def measure(server: str) -> Sample:
    """Start it, ask until it has answered."""
    port = free_port()
    command = _installed(port) if server == "emulator" else _aimock(port)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.perf_counter()
    process = started(
        command, SERVER_CORE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, cwd=CACHE
    )
    try:
        while not _answers(port):
            time.sleep(0.001)
        answered = time.perf_counter() - begun
        time.sleep(0.3)
        rss = Running(process.pid, port).rss
    finally:
        process.terminate()
        process.wait()
    return {"answered_ms": answered * 1000, "rss_mb": rss / 1e6}


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", material.PATH, material.body(), material.HEADERS)
        response = connection.getresponse()
        return response.status == 200 and b"metadata" in response.read()
    except ConnectionError:
        return False
    finally:
        connection.close()


def _aimock(port: int) -> Sequence[str]:
    return [*aimock_command(), "-p", str(port), "-f", str(aimock_fixture(Case()))]


def _installed(port: int) -> Sequence[str]:
    """The command of the wheel, built from what is here and installed into an environment of its own."""
    python = wheel_python()
    return [str(python.with_name("converse-emulator")), "serve", "--port", str(port)]


def wheel_python() -> Path:
    """The interpreter of an environment in which the wheel of this state of the code is installed."""
    root = HERE.parent
    python = virtual_environment("wheel", "-c", str(root / "constraints.txt"), str(root))
    mark = CACHE / "wheel" / ".state"
    sources = [path for folder in ("emulator", "fixtures") for path in (root / folder).rglob("*.*")]
    newest = max(path.stat().st_mtime for path in sources)
    if not mark.exists() or mark.stat().st_mtime < newest:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--force-reinstall", str(root)], check=True)
        mark.touch()
    return python


def fixture() -> Sample:
    """In a process of its own: what the pytest fixture does, ten times, after a first time."""
    told = subprocess.run(
        [sys.executable, "-c", _FIXTURE], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    figures: Sample = json.loads(told)
    return figures


_FIXTURE = """
import json, time
from statistics import median
from converse_emulator import Emulator

def once():
    times = [time.perf_counter()]
    emulator = Emulator()
    emulator.start()
    times.append(time.perf_counter())
    client = emulator.client()
    times.append(time.perf_counter())
    emulator.play("Hello")
    asked = client.converse_stream(modelId="amazon.nova-lite-v1:0",
                                   messages=[{"role": "user", "content": [{"text": "Hi"}]}])
    list(asked["stream"])
    times.append(time.perf_counter())
    emulator.stop()
    times.append(time.perf_counter())
    return [(b - a) * 1000 for a, b in zip(times, times[1:])]

once()
ready, client, _, stopped = map(median, zip(*(once() for _ in range(10))))
print(json.dumps({"ready_ms": ready, "client_ms": client, "stopped_ms": stopped}))
"""
