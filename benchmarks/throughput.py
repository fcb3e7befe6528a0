"""Responses of 104 frames without delays, as fast as they go: requests a second, latency, CPU a request."""

import json
import re
import subprocess
from pathlib import Path

from benchmarks import material
from benchmarks.peers import Case, peer, tool
from benchmarks.processes import CACHE, CLIENT_CORE, Running, started
from benchmarks.results import Report, Row, Sample, Samples, middle, ratio, rounds

SERVERS = ("emulator", "aimock", "nginx", "uvicorn", "asyncio", "node", "ministack")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def run(report: Report, count: int, seconds: int) -> None:
    """Measure, and add the rows."""
    for connections in (64, 1):
        samples = rounds(
            report,
            f"throughput, {connections} connections",
            count,
            SERVERS,
            lambda server, connections=connections: measure(server, connections, seconds),  # type: ignore[misc]
        )
        if connections == 64:
            report.add(*_rows(samples))
        else:
            times = ratio(samples, "rps", "emulator", "aimock")
            report.add(Row("requests a second / aimock, 1 connection", times, 4))
    samples = rounds(
        report,
        "throughput, each request another",
        count,
        ("emulator", "aimock"),
        lambda server: measure(server, 64, seconds, varied=True),
    )
    times = ratio(samples, "rps", "emulator", "aimock")
    report.add(Row("requests a second / aimock, each request another", times))


def _rows(samples: Samples) -> list[Row]:
    """Of 64 connections."""

    def times(what: str, peer: str) -> float | None:
        return ratio(samples, what, "emulator", peer)

    cheaper = ratio(samples, "cpu_us", "aimock", "emulator")
    return [
        Row("requests a second / aimock, 64 connections", times("rps", "aimock"), 10, 25),
        Row("requests a second / nginx, 64 connections", times("rps", "nginx"), 0.15, 0.4),
        Row("p99 / aimock, 64 connections", times("p99", "aimock"), 0.05, at_most=True),
        Row("requests a CPU second / aimock, 64 connections", cheaper, 10, 25),
        Row("requests a second / uvicorn with one body", times("rps", "uvicorn")),
        Row("requests a second / bare asyncio", times("rps", "asyncio")),
        Row("requests a second / Node, encoding each", times("rps", "node")),
        Row("requests a second / ministack", times("rps", "ministack")),
        Row("CPU a request", middle(samples, "emulator", "cpu_us"), unit=" µs"),
    ]


def measure(server: str, connections: int, seconds: int, *, varied: bool = False) -> Sample:
    """One run of wrk against one server."""
    with peer(server, Case()) as running:
        load(running, 4, 1, varied=varied)
        return load(running, connections, seconds, varied=varied)


def load(running: Running, connections: int, seconds: int, *, varied: bool = False) -> Sample:
    """What wrk tells, and the CPU that the server took."""
    command = [tool("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += [
        "--timeout",
        "20s",
        "-s",
        str(_script(varied)),
        f"http://127.0.0.1:{running.port}{material.PATH}",
    ]
    before = running.cpu
    with started(command, CLIENT_CORE, stdout=subprocess.PIPE) as process:
        told = process.communicate(timeout=seconds + 60)[0].decode()
    used = running.cpu - before
    if "Non-2xx" in told:
        raise RuntimeError(f"not all answers were good:\n{told}")
    requests = int(_found(r"(\d+) requests in", told))
    latency = dict(re.findall(r"(50|99)%\s+(\S+)", told))
    return {
        "rps": float(_found(r"Requests/sec:\s+(\S+)", told)),
        "p50": _seconds(latency["50"]),
        "p99": _seconds(latency["99"]),
        "cpu_us": used / max(1, requests) * 1e6,
    }


def _script(varied: bool) -> Path:
    """The request for wrk; `varied`: with a number in its prompt, and ids of its own."""
    headers = "".join(f"wrk.headers[{name!r}] = {value!r}\n" for name, value in material.HEADERS.items())
    request = json.loads(material.body())
    once = f"wrk.method = 'POST'\n{headers}"
    if varied:
        request["messages"][0]["content"][0]["text"] += " Number %d."
        template = json.dumps(request).replace("'", "\\'")
        once += (
            f"local template = '{template}'\nlocal number = 0\n"
            "function request()\n  number = number + 1\n"
            "  local id = string.format('5b0c1a60-6a6c-4f3e-9d5e-%012d', number)\n"
            "  wrk.headers['amz-sdk-invocation-id'] = id\n"
            "  return wrk.format(nil, nil, nil, string.format(template, number))\nend\n"
        )
    else:
        once += f"wrk.body = '{material.body().decode()}'\n"
    path = CACHE / f"post-{'varied' if varied else 'same'}.lua"
    path.write_text(once)
    return path


def _found(pattern: str, told: str) -> str:
    found = re.search(pattern, told)
    if found is None:
        raise RuntimeError(f"wrk said nothing like {pattern}:\n{told}")
    return found[1]


def _seconds(told: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", told).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]
