"""Environments: which are there, and why one cannot be had."""

from pathlib import Path

import pytest

from conformance import environments
from conformance.clients import Client
from conformance.environments import SCRIPTS, STAMP, Unavailable, build, command_of, is_built

PYTHON = Client("py", "python", ("thing[extra]==1.2",), "aws_boto3.py", "ConverseStream", "HTTP/1.1")
NODE = Client("js", "node", ("@scope/thing@3.4",), "aws_sdk.mjs", "ConverseStream", "HTTP/2")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    return tmp_path


def test_a_client_has_a_name_and_a_version() -> None:
    assert (PYTHON.name, PYTHON.version) == ("thing[extra]", "1.2")
    assert (NODE.name, NODE.version) == ("@scope/thing", "3.4")


def test_an_environment_is_there_only_for_the_packages_it_was_made_for(folder: Path) -> None:
    assert not is_built(PYTHON)
    (folder / "py").mkdir()
    (folder / "py" / STAMP).write_text(PYTHON.isolated)
    assert is_built(PYTHON)
    assert not is_built(Client("py", "python", ("thing[extra]==1.3",), "", "", ""))
    build(PYTHON, lambda: pytest.fail("it is there"))


def test_without_a_python_that_is_new_enough_there_is_a_reason() -> None:
    announced: list[None] = []
    future = Client("py", "python", ("thing==1",), "", "", "", python="3.99")
    with pytest.raises(Unavailable, match=r"there is no Python from 3\.99 on"):
        build(future, lambda: announced.append(None))
    assert announced == [None]


def test_without_node_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="there is no npm on this machine"):
        build(NODE, lambda: None)


def test_a_node_script_runs_beside_its_packages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    (folder / "js").mkdir()
    assert command_of(NODE) == ["/bin/node", str(folder / "js" / "aws_sdk.mjs")]
    copy = folder / "js" / "common.mjs"
    assert copy.read_bytes() == (SCRIPTS / "common.mjs").read_bytes()
    copy.write_text("stale")
    command_of(NODE)
    assert copy.read_bytes() == (SCRIPTS / "common.mjs").read_bytes()
