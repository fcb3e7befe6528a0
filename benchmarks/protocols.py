"""The same response over HTTP/1.1 and HTTP/2: CPU a request, as h2load asks."""

import re
import subprocess
from statistics import median

from benchmarks import material
from benchmarks.peers import Case, peer, tool
from benchmarks.processes import CACHE, CLIENT_CORE, started
from benchmarks.results import Report, Row, Sample, Samples, rounds

REQUESTS = 4000
WAYS = {  # what h2load is told
    "HTTP/1.1": ("--h1",),
    "HTTP/2": ("-m4",),
    "one at a time": ("-m1",),
    "64 KiB windows": ("-m4", "-w16", "-W16"),  # RFC 9113's, which Node's clients leave as they are
}


def run(report: Report, count: int) -> None:
    """Measure, and add the rows."""
    found = rounds(report, "protocols", count, tuple(WAYS), measure)
    _compare(report, found, "HTTP/2", "CPU a request, HTTP/2 / HTTP/1.1", 1.5)
    _compare(report, found, "one at a time", "… one request at a time")
    _compare(report, found, "64 KiB windows", "… windows of 64 KiB")


def _compare(report: Report, found: Samples, way: str, what: str, target: float | None = None) -> None:
    pairs = zip(found[way], found["HTTP/1.1"], strict=False)
    ratios = [two["cpu_us"] / one["cpu_us"] for two, one in pairs if two and one]
    note = report.skipped.get(way, "")
    report.add(Row(what, median(ratios) if ratios else None, target, at_most=True, note=note))


def measure(way: str) -> Sample:
    """Eight connections, four requests at a time on each where the protocol can."""
    with peer("emulator", Case()) as running:
        body = CACHE / "body.json"
        body.write_bytes(material.body())
        command = [tool("h2load", "nghttp2-client"), "-c8", "-d", str(body), *WAYS[way]]
        for name, value in material.HEADERS.items():
            command += ["-H", f"{name}: {value}"]
        url = f"http://127.0.0.1:{running.port}{material.PATH}"
        _ask(command, url, 200)
        before = running.cpu
        _ask(command, url, REQUESTS)
        return {"cpu_us": (running.cpu - before) / REQUESTS * 1e6}


def _ask(command: list[str], url: str, number: int) -> None:
    with started([*command, f"-n{number}", url], CLIENT_CORE, stdout=subprocess.PIPE) as process:
        told = process.communicate(timeout=120)[0].decode()
    done = re.search(r"(\d+) succeeded", told)
    if done is None or int(done[1]) != number:
        raise RuntimeError(f"not all answers came:\n{told}")
