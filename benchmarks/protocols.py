"""The same response over HTTP/1.1 and HTTP/2: CPU a request, as h2load asks."""

import re
import subprocess

from benchmarks import material
from benchmarks.peers import Case, peer, tool
from benchmarks.processes import CACHE, CLIENT_CORE, started
from benchmarks.results import Report, Row, Sample, rounds

REQUESTS = 4000


def run(report: Report, count: int) -> None:
    """Measure, and add the row."""
    found = rounds(report, "protocols", count, ("HTTP/2", "HTTP/1.1"), measure)
    pairs = zip(found["HTTP/2"], found["HTTP/1.1"], strict=False)
    ratios = sorted(two["cpu_us"] / one["cpu_us"] for two, one in pairs if two and one)
    middle = ratios[len(ratios) // 2] if ratios else None
    note = report.skipped.get("HTTP/2", "")
    report.add(Row("CPU a request, HTTP/2 / HTTP/1.1", middle, 1.5, at_most=True, note=note))


def measure(protocol: str) -> Sample:
    """Eight connections, four requests at a time on each where the protocol can."""
    with peer("emulator", Case()) as running:
        body = CACHE / "body.json"
        body.write_bytes(material.body())
        command = [tool("h2load", "nghttp2-client"), "-c8", "-d", str(body)]
        command += ["--h1"] if protocol == "HTTP/1.1" else ["-m4"]
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
