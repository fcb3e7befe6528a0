"""The peers: what they are made of, and why one cannot be had."""

import zipfile
from pathlib import Path

import pytest

from conformance import environments, peers
from conformance.environments import Unavailable, build, folder_of, is_built
from conformance.peers import Peer, load_peers, main


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    return tmp_path


def test_every_peer_has_its_versions_pinned() -> None:
    for peer in load_peers().values():
        separator = "@" if peer.kind == "node" else "=="
        assert all(package.rpartition(separator)[0] for package in peer.packages), peer.id


def test_a_wheel_is_unpacked_and_not_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(command: list[str]) -> None:
        assert command[-1] == "thing==1.2"
        folder_of(peer).mkdir()
        with zipfile.ZipFile(folder_of(peer) / "thing-1.2-py3-none-any.whl", "w") as wheel:
            wheel.writestr("thing/program", "#!")

    peer = Peer("thing", "wheel", ("thing==1.2",))
    monkeypatch.setattr(environments, "_run", download)
    build(peer, lambda: None)
    assert is_built(peer)
    assert (folder / "thing" / "thing" / "program").read_text() == "#!"
    assert not list(folder.glob("thing/*.whl"))
    assert not is_built(Peer("thing", "wheel", ("thing==1.3",)))


def test_a_tool_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = Peer("thing", "node", ("thing@1.2",), needs=("no-such-tool",))
    monkeypatch.setattr(peers, "load_peers", lambda: {"thing": peer})
    assert main(["thing"]) == 1
    assert capsys.readouterr().out == "not available: thing: there is no no-such-tool on this machine\n"


def test_a_peer_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nobody"]) == 2
    assert capsys.readouterr().err.startswith("nobody: no such peer; there are aws-lambda-ric, ")


def test_what_cannot_be_installed_is_told() -> None:
    with pytest.raises(Unavailable, match=r"there is no Python from 3\.99 on"):
        build(Peer("thing", "python", ("thing==1.2",), python="3.99"), lambda: None)
