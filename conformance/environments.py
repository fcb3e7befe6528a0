"""An environment for each client and peer under .cache/conformance/, kept until its packages change."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from zipfile import ZipFile

from conformance.clients import Client

FOLDER = Path(__file__).parents[1] / ".cache" / "conformance"
SCRIPTS = Path(__file__).with_name("scripts")
STAMP = ".installed"  # its content tells what the environment was made for


class Unavailable(Exception):
    """The environment cannot be had on this machine; the text says why."""


class Packages(Protocol):
    """What an environment is made of: a client of clients.toml, or a peer of peers.toml."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def packages(self) -> tuple[str, ...]: ...
    @property
    def python(self) -> str: ...
    @property
    def isolated(self) -> str: ...


def folder_of(packages: Packages) -> Path:
    return FOLDER / packages.id


def python_of(packages: Packages) -> Path:
    """The interpreter of a Python environment."""
    return folder_of(packages) / "bin" / "python"


def is_built(packages: Packages) -> bool:
    """Whether the environment is there with the packages that are asked for."""
    stamp = folder_of(packages) / STAMP
    return stamp.exists() and stamp.read_text(encoding="utf-8") == packages.isolated


def build(packages: Packages, announce: Callable[[], None]) -> None:
    """Make the environment, unless it is there, and announce that first; raises `Unavailable`."""
    if is_built(packages):
        return
    announce()
    folder = folder_of(packages)
    shutil.rmtree(folder, ignore_errors=True)
    if packages.kind == "node":
        _build_node(packages, folder)
    elif packages.kind == "wheel":
        _unpack(packages, folder)
    else:
        _build_python(packages, folder)
    (folder / STAMP).write_text(packages.isolated, encoding="utf-8")


def command_of(client: Client) -> list[str]:
    """How the client's script is run, without its arguments."""
    folder = folder_of(client)
    if client.kind != "node":
        return [str(python_of(client)), str(SCRIPTS / client.script)]
    for script in SCRIPTS.glob("*.mjs"):  # Node looks for packages beside the script, so it is copied there
        _copy(script, folder / script.name)
    return [program("node"), str(folder / client.script)]


def _copy(source: Path, target: Path) -> None:
    """Copy a file that others may be reading; what is the same already is left alone."""
    content = source.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        new = target.with_name(f"{target.name}.{os.getpid()}.{threading.get_ident()}")
        new.write_bytes(content)
        new.replace(target)


def _build_python(packages: Packages, folder: Path) -> None:
    _run([_interpreter(packages.python), "-m", "venv", str(folder)])
    pip = [str(python_of(packages)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, *packages.packages])


def _unpack(packages: Packages, folder: Path) -> None:
    """The files of a wheel, as they are."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run([*pip, "--dest", str(folder), *packages.packages])
    for wheel in folder.glob("*.whl"):
        with ZipFile(wheel) as files:
            files.extractall(folder)
        wheel.unlink()


def _build_node(packages: Packages, folder: Path) -> None:
    npm = program("npm")
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": "client", "private": True, "type": "module"}))
    _run([npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *packages.packages])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise Unavailable(f"`{Path(command[0]).name} {' '.join(command[1:])}` failed: {last[0]}")


def program(name: str) -> str:
    """Where a program is; raises `Unavailable`."""
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
