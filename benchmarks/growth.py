"""How cost grows: with frames a stream, scenarios loaded, entries in the journal, sessions."""

import http.client
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from converse_emulator.playing.journal import MOST_BYTES, MOST_EXCHANGES

from benchmarks import material
from benchmarks.peers import COMMANDS, Case, peer
from benchmarks.processes import CACHE, Running, free_port, serving
from benchmarks.results import Report, Row, tell

Points = list[tuple[float, float]]


def run(report: Report, *, quick: bool) -> None:
    """Measure each curve, and add how much more than in proportion its last point costs."""
    most = 1_000 if quick else 10_000
    _curve(report, "CPU a response, µs, by its frames", _frames, [10, 100, 1_000, most])
    _curve(report, "start to first answer, ms, by scenarios loaded", _scenarios, [1, 10, 100, most])
    _curve(report, "CPU a request, µs, by scenarios loaded", _matching, [1, 100, most])
    entries = [1, 1_000, most * (1 if quick else 10)]
    _curve(report, "CPU a request, µs, by entries in the journal", _journal, entries)
    _curve(report, "CPU a request, µs, by sessions", _sessions, [1, 10, 100, 1_000])


def _curve(report: Report, name: str, measure: Callable[[int], float], points: Sequence[int]) -> None:
    found: Points = []
    for number in dict.fromkeys(points):
        found.append((number, measure(number)))
        tell(f"  {name}: {number}: {found[-1][1]:.4g}")
    report.curves[name] = {"emulator": found}
    (first, least), (last, largest) = found[0], found[-1]
    grown = (largest / least) / (last / first)
    report.add(Row(f"growth: {name}, {first:g} to {last:g}, / linear", grown, 1, at_most=True))


def _frames(number: int) -> float:
    with peer("emulator", Case(words=number)) as running:
        return _cpu(running, material.PATH, max(5, 2_000 // number))


def _scenarios(number: int) -> float:
    port = free_port()
    command = [*COMMANDS["emulator"](Case(), port)[:-1], str(_folder(number))]
    begun = time.perf_counter()
    with serving(command, port) as running:
        _ask(running, material.PATH)
        return (time.perf_counter() - begun) * 1000


def _matching(number: int) -> float:
    port = free_port()
    with serving([*COMMANDS["emulator"](Case(), port)[:-1], str(_folder(number))], port) as running:
        return _cpu(running, material.PATH, 100)


def _folder(number: int) -> Path:
    """So many scenarios; the last one is for the request."""
    folder = CACHE / f"scenarios-{number}"
    if not folder.exists():
        material.scenario(folder, words=5)
        folder.joinpath("words.yaml").rename(folder / "zzz.yaml")
        for other in range(number - 1):
            folder.joinpath(f"s{other:05}.yaml").write_text(
                f"title: Other.\nhandlers: Nothing.\nmatch: {{prompt: other {other}}}\nreplies: [Hello]\n"
            )
    return folder


def _journal(number: int) -> float:
    with peer("emulator", Case(words=5)) as running:
        _cpu(running, material.PATH, number)
        if running.rss > 100e6 + MOST_BYTES:
            raise RuntimeError(f"the journal of {MOST_EXCHANGES} exchanges takes {running.rss / 1e6:.0f} MB")
        return _cpu(running, material.PATH, 500)


def _sessions(number: int) -> float:
    with peer("emulator", Case(words=5)) as running:
        paths = [f"/session/s{each}{material.PATH}" for each in range(number)]
        for path in paths:
            _ask(running, path)
        return _cpu(running, paths[-1], 500)


def _cpu(running: Running, path: str, number: int) -> float:
    """CPU of the server for one of so many requests on one connection, in microseconds."""
    _ask(running, path)
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    before = running.cpu
    for _ in range(number):
        connection.request("POST", path, material.body(), material.HEADERS)
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {response.read()!r}")
        response.read()
    connection.close()
    return (running.cpu - before) / number * 1e6


def _ask(running: Running, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    connection.request("POST", path, material.body(), material.HEADERS)
    if (status := connection.getresponse().status) != 200:
        raise RuntimeError(f"the answer is {status}; {sys.executable}")
    connection.close()
