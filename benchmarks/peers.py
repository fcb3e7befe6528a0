"""The servers that are measured, and what it takes to run each: a row tells how, or why it is skipped.

`make bench` installs into `.cache/bench` what the ordinary clients of npm and PyPI can; wrk, nginx, gcc and
nghttp2 (h2load) come from the system.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import material
from benchmarks.processes import CACHE, HERE, Running, free_port, serving

AIMOCK, MINISTACK = "@copilotkit/aimock@1.43.0", "ministack==1.5.33"


class Skipped(Exception):
    """It cannot be measured here; the text says why."""


@dataclass(frozen=True, slots=True)
class Case:
    """What to serve: so many words, so many seconds apart."""

    words: int = material.WORDS
    every: float = 0.0

    @property
    def frames(self) -> material.Frames:
        return material.frames(self.words, self.every)

    @property
    def folder(self) -> Path:
        """A folder of its own for files."""
        folder = CACHE / f"case-{self.words}-{self.every * 1000:g}ms"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def body_file(self) -> Path:
        """The bytes of the answer."""
        path = self.folder / "body.bin"
        path.write_bytes(b"".join(self.frames.frames))
        return path

    def schedule_file(self) -> Path:
        """Lines of `moment_ns length`, a blank line, the bytes."""
        made = self.frames
        lines = [
            f"{round(at * 1e9)} {len(frame)}" for at, frame in zip(made.moments, made.frames, strict=True)
        ]
        path = self.folder / "schedule.bin"
        path.write_bytes("\n".join(lines).encode() + b"\n\n" + b"".join(made.frames))
        return path


def tool(name: str, package: str) -> str:
    """The path of a system's tool."""
    if found := shutil.which(name):
        return found
    raise Skipped(f"{name} is not installed (Debian: {package})")


def compiled(source: str) -> str:
    """A C program of this folder, compiled if it is not."""
    gcc = tool("gcc", "gcc")
    binary = CACHE / Path(source).stem
    if not binary.exists() or binary.stat().st_mtime < (HERE / source).stat().st_mtime:
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([gcc, "-O2", "-Wall", "-o", str(binary), str(HERE / source)], check=True)
    return str(binary)


def _emulator(case: Case, port: int) -> list[str]:
    scenarios = material.scenario(case.folder / "scenarios", case.words, case.every)
    command = [sys.executable, "-m", "converse_emulator", "serve", "--port", str(port)]
    return [*command, "--scenarios", str(scenarios)]


def aimock_command() -> list[str]:
    """aimock's command line, installed from npm if need be."""
    node, npm = tool("node", "nodejs"), tool("npm", "npm")
    folder = CACHE / "aimock"
    script = folder / "node_modules/@copilotkit/aimock/dist/cli.js"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), AIMOCK]
        if subprocess.run(command, check=False).returncode:
            raise Skipped(f"npm could not install {AIMOCK}")
    return [node, str(script), "--log-level", "silent"]


def aimock_fixture(case: Case) -> Path:
    """The answer as aimock's fixture."""
    path = case.folder / "aimock.json"
    answer = material.text(case.words)
    path.write_text(
        '{"fixtures": [{"match": {"userMessage": "hundred"}, "response": {"content": "' + answer + '"}}]}'
    )
    return path


def _aimock(case: Case, port: int) -> list[str]:
    latency = round(case.every * 1000)
    command = [*aimock_command(), "-p", str(port), "-f", str(aimock_fixture(case)), "-c", "5"]
    return [*command, "-l", str(latency)]


def virtual_environment(name: str, *requirements: str, python: str = sys.executable) -> Path:
    """A virtual environment of the cache with these installed; its interpreter."""
    interpreter = CACHE / name / "bin" / "python"
    if not (done := CACHE / name / ".installed").exists():
        subprocess.run([python, "-m", "venv", str(CACHE / name)], check=True)
        pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, *requirements], check=False).returncode:
            raise Skipped(f"pip could not install {', '.join(requirements)}")
        done.touch()
    return interpreter


def _ministack(case: Case, port: int) -> list[str]:
    del case, port  # its answer is its own, and its port is in its environment
    return [str(virtual_environment("ministack", MINISTACK).with_name("ministack"))]


def _nginx(case: Case, port: int) -> list[str]:
    """One worker that answers a POST with a file."""
    nginx = tool("nginx", "nginx-light")
    configuration = case.folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; worker_processes 1; pid {case.folder}/nginx.pid; error_log stderr crit;\n"
        "events { worker_connections 4096; }\n"
        "http { access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000;\n"
        f"  client_body_temp_path {case.folder}; proxy_temp_path {case.folder};\n"
        f"  fastcgi_temp_path {case.folder}; uwsgi_temp_path {case.folder}; scgi_temp_path {case.folder};\n"
        f"  server {{ listen 127.0.0.1:{port} backlog=2048; root {case.body_file().parent};\n"
        "    location / { error_page 405 =200 /body.bin; try_files /body.bin =404; } } }\n"
    )
    return [nginx, "-c", str(configuration), "-e", "stderr"]


def _node(mode: str) -> Callable[[Case, int], list[str]]:
    def command(case: Case, port: int) -> list[str]:
        script = str(HERE / "servers/node.mjs")
        return [tool("node", "nodejs"), script, str(port), mode, str(case.schedule_file())]

    return command


def _uvicorn(case: Case, port: int) -> list[str]:
    return [sys.executable, str(HERE / "servers/uvicorn_app.py"), str(port), str(case.body_file())]


def _asyncio(case: Case, port: int) -> list[str]:
    return [sys.executable, str(HERE / "servers/bare_asyncio.py"), str(port), str(case.schedule_file())]


def _c(case: Case, port: int) -> list[str]:
    return [compiled("servers/paced.c"), str(port), str(case.schedule_file())]


COMMANDS: dict[str, Callable[[Case, int], list[str]]] = {
    "emulator": _emulator,
    "aimock": _aimock,
    "ministack": _ministack,
    "nginx": _nginx,
    "uvicorn": _uvicorn,
    "asyncio": _asyncio,
    "node": _node("encode"),
    "node absolute": _node("absolute"),
    "C": _c,
}


@contextmanager
def peer(name: str, case: Case) -> Iterator[Running]:
    """Serve the case; raises `Skipped`."""
    CACHE.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with serving(COMMANDS[name](case, port), port, {"GATEWAY_PORT": str(port)}) as running:
        yield running
