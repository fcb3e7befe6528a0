"""An environment for each client under .cache/conformance/, made once and kept until its packages change."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from conformance.clients import Client

FOLDER = Path(__file__).parents[1] / ".cache" / "conformance"
SCRIPTS = Path(__file__).with_name("scripts")
STAMP = ".installed"  # its content tells what the environment was made for


class Unavailable(Exception):
    """The environment cannot be had on this machine; the text says why."""


def folder_of(client: Client) -> Path:
    return FOLDER / client.id


def python_of(client: Client) -> Path:
    """The interpreter of a Python client's environment."""
    return folder_of(client) / "bin" / "python"


def is_built(client: Client) -> bool:
    """Whether the environment is there with the packages that clients.toml asks for."""
    stamp = folder_of(client) / STAMP
    return stamp.exists() and stamp.read_text(encoding="utf-8") == client.isolated


def build(client: Client, announce: Callable[[], None]) -> None:
    """Make the environment, unless it is there, and announce that first; raises `Unavailable`."""
    if is_built(client):
        return
    announce()
    folder = folder_of(client)
    shutil.rmtree(folder, ignore_errors=True)
    if client.kind == "node":
        _build_node(client, folder)
    else:
        _build_python(client, folder)
    (folder / STAMP).write_text(client.isolated, encoding="utf-8")


def command_of(client: Client) -> list[str]:
    """How the client's script is run, without its arguments."""
    folder = folder_of(client)
    if client.kind != "node":
        return [str(python_of(client)), str(SCRIPTS / client.script)]
    for script in SCRIPTS.glob("*.mjs"):  # Node looks for packages beside the script, so it is copied there
        _copy(script, folder / script.name)
    return [_program("node"), str(folder / client.script)]


def _copy(source: Path, target: Path) -> None:
    """Copy a file that others may be reading; what is the same already is left alone."""
    content = source.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        new = target.with_name(f"{target.name}.{os.getpid()}.{threading.get_ident()}")
        new.write_bytes(content)
        new.replace(target)


def _build_python(client: Client, folder: Path) -> None:
    _run([_interpreter(client.python), "-m", "venv", str(folder)])
    pip = [str(python_of(client)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, *client.packages])


def _build_node(client: Client, folder: Path) -> None:
    npm = _program("npm")
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": "client", "private": True, "type": "module"}))
    _run([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *client.packages])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise Unavailable(f"`{Path(command[0]).name} {' '.join(command[1:])}` failed: {last[0]}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise Unavailable(f"there is no {name} on this machine")
    return found


def _interpreter(lowest: str) -> str:
    """A Python that is new enough: this one, or any that can be found."""
    needed = tuple(map(int, lowest.split(".")))
    for python in _interpreters():
        tells = "import sys; print(*sys.version_info[:2])"
        said = subprocess.run([python, "-c", tells], capture_output=True, text=True)
        if said.returncode == 0 and tuple(map(int, said.stdout.split())) >= needed:
            return python
    raise Unavailable(f"there is no Python from {lowest} on on this machine")


def _interpreters() -> Iterator[str]:
    yield sys.executable
    names = (f"python3.{minor}" for minor in range(12, 20))
    yield from filter(None, map(shutil.which, names))
    yield from map(str, sorted(Path.home().glob(".pyenv/versions/*/bin/python3")))
