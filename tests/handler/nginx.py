"""A real nginx in front of a handler."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def nginx(origin: str, *directives: str) -> Iterator[str]:
    """nginx's URL. Its configuration is the default one of a reverse proxy, and these directives."""
    if NGINX is None:
        pytest.skip("there is no nginx on this machine")
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(_configuration(folder, port, origin, directives))
        process = subprocess.Popen(
            [NGINX, "-p", folder, "-c", configuration, "-e", "stderr"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[listening.fileno()],
            env={**os.environ, "NGINX": f"{listening.fileno()};"},  # how it takes over a socket: no race
        )
        with process:
            try:
                _wait(Path(folder) / "pid", process)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


def _configuration(folder: str, port: int, origin: str, directives: tuple[str, ...]) -> str:
    temporary = "".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    user = "user root;" if os.getuid() == 0 else ""
    return f"""
        {user} daemon off; pid {folder}/pid; worker_processes 1; events {{ }}
        http {{
            access_log off; {temporary}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass {origin}; {" ".join(f"{each};" for each in directives)} }}
            }}
        }}"""


def _wait(pid: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while not pid.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            assert process.stderr is not None
            pytest.fail(f"nginx did not start: {process.stderr.read().decode()}")
        time.sleep(0.01)
