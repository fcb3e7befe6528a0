"""Streams at a pace: how late each frame is, whether lateness grows, and what a stream costs.

Lateness is arrival at the client less (the request's write + the frame's moment). Drift is the mean lateness
of a stream's last tenth less that of its first. The client is C, and sees each frame when it is whole.
"""

import subprocess
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks import material
from benchmarks.peers import Case, compiled, peer
from benchmarks.processes import CACHE, CLIENT_CORE, Running, started
from benchmarks.results import Report, Row, Sample, Samples, middle, ratio, rounds

SERVERS = ("emulator", "C", "node absolute", "asyncio")
SPREAD = 1.0  # seconds over which the streams begin
GRACE = 10.0  # seconds that they may take longer than planned


@dataclass(frozen=True, slots=True)
class Load:
    """So many streams, frames so many seconds apart."""

    streams: int
    every: float

    @property
    def name(self) -> str:
        return f"{self.streams} streams at {1 / self.every:g}/s"


def run(report: Report, count: int, seconds: float) -> None:
    """Measure, and add the rows."""
    for load in (Load(500, 0.02), Load(500, 0.0125)):
        found = _rounds(report, load, count, seconds, SERVERS)
        c = ratio(found, "p50_ms", "emulator", "C")
        node = ratio(found, "p99_ms", "emulator", "node absolute")
        drift = middle(found, "emulator", "drift_ms")
        report.add(
            Row(f"{load.name}: drift", drift, 2, 0.5, at_most=True, unit=" ms"),
            Row(f"{load.name}: p50 lateness / C", c, 2, at_most=True),
            Row(f"{load.name}: p99 lateness / Node, absolute", node, 0.4, at_most=True),
        )
    load = Load(1000, 0.02)
    found = _rounds(report, load, count, seconds, SERVERS)
    for key in ("p50", "p99"):
        bare = ratio(found, f"{key}_ms", "emulator", "asyncio")
        report.add(Row(f"{load.name}: {key} lateness / bare scheduler", bare, 2, at_most=True))
    report.add(*_delivery(found, load.name))
    load = Load(5000, 0.02)
    found = _rounds(report, load, count, seconds, ("emulator", "asyncio"))
    mean = middle(found, "emulator", "mean_ms")
    report.add(Row(f"{load.name}: mean lateness", mean, 350, at_most=True, unit=" ms"))
    report.add(*_delivery(found, load.name))


def _delivery(found: Samples, name: str) -> list[Row]:
    memory = middle(found, "emulator", "kib")
    return [
        Row(f"{name}: frames delivered", middle(found, "emulator", "delivered"), 1),
        Row(f"{name}: memory a stream", memory, 16, at_most=True, unit=" KiB"),
    ]


def _rounds(report: Report, load: Load, count: int, seconds: float, servers: Sequence[str]) -> Samples:
    case = Case(round(seconds / load.every), load.every)
    return rounds(report, load.name, count, servers, lambda server: measure(server, case, load.streams))


def measure(server: str, case: Case, streams: int) -> Sample:
    """One run against one server."""
    client = compiled("client.c")
    with peer(server, case) as running:
        _streams(client, running, 4, Case(case.words, case.every))  # what is done once is done
        idle, before = running.rss, running.cpu
        arrivals, most = _streams(client, running, streams, case)
        used = running.cpu - before
    figures = _figures(arrivals, case.frames.moments)
    return figures | {
        "cpu_us_a_frame": used / (streams * len(case.frames.frames)) * 1e6,
        "kib": (most - idle) / streams / 1024,
    }


def _streams(client: str, running: Running, streams: int, case: Case) -> tuple["array[float]", int]:
    """When each frame arrived, and the most memory that the server held."""
    request = CACHE / "request.bin"
    body = material.body()
    headers = [f"{name}: {value}" for name, value in material.HEADERS.items()]
    lines = [f"POST {material.PATH} HTTP/1.1", "Host: 127.0.0.1", *headers, f"Content-Length: {len(body)}"]
    request.write_bytes("\r\n".join([*lines, "", ""]).encode() + body)
    output = CACHE / "arrivals.bin"
    moments = case.frames.moments
    spread, limit = (SPREAD if streams > 10 else 0.0), moments[-1] + GRACE
    if streams <= 10:
        limit = 0.5  # to warm up
    numbers = [running.port, streams, len(moments), round(spread * 1000), round(limit * 1000)]
    command = [client, *map(str, numbers), str(request), str(output)]
    most = 0
    with started(command, CLIENT_CORE) as process:
        while True:
            try:
                code = process.wait(0.5)
                break
            except subprocess.TimeoutExpired:
                most = max(most, running.rss)
    if code:
        raise RuntimeError(f"the client ended with {code}")
    arrivals = array("d")
    arrivals.frombytes(output.read_bytes())
    return arrivals, most


def _figures(arrivals: "array[float]", moments: Sequence[float]) -> dict[str, float]:
    """Over all frames of all streams; of the frames at the same moment as the one before the first only."""
    timed = [number for number, at in enumerate(moments) if number == 0 or at > moments[number - 1]]
    frames, tenth = len(moments), max(1, len(timed) // 10)
    lateness, drifts, missing = [], [], 0
    for start in range(0, len(arrivals), frames):
        stream = arrivals[start : start + frames]
        missing += sum(arrival < 0 for arrival in stream)
        late = [stream[number] - moments[number] for number in timed if stream[number] >= 0]
        lateness += late
        if len(late) == len(timed):
            drifts.append(fmean(late[-tenth:]) - fmean(late[:tenth]))
    lateness.sort()
    return {
        "mean_ms": fmean(lateness) * 1000,
        "p50_ms": lateness[len(lateness) // 2] * 1000,
        "p99_ms": lateness[int(len(lateness) * 0.99)] * 1000,
        "drift_ms": abs(sorted(drifts)[len(drifts) // 2]) * 1000 if drifts else float("inf"),
        "delivered": 1 - missing / len(arrivals),
    }
