"""The wheel holds the six packages with their data, the two commands and the plugin; no tests."""

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "converse_contract",
    "converse_emulator",
    "converse_fixtures",
    "converse_handler",
    "converse_hops",
    "pytest_converse",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], cwd=ROOT, check=True
    )
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_packages_are_in_it_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_every_file_of_the_packages_is_in_it(wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", *(f"*/{package}/*" for package in PACKAGES)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    if not tracked:
        pytest.skip("no git checkout: there is no list of files to compare with")
    expected = {name.split("/", 1)[1] for name in tracked}
    assert expected <= set(wheel.namelist())


def test_data_and_type_markers_are_in_it(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert sum(name.startswith("converse_fixtures/scenarios/") for name in names) >= 40
    assert "converse_handler/static/index.html" in names
    assert not [name for name in names if "test_" in name.rsplit("/", 1)[-1] and name.endswith(".py")]


def test_the_commands_and_the_plugin_are_declared(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    declared = configparser.ConfigParser()
    declared.read_string(wheel.read(entry_points).decode())
    assert dict(declared["console_scripts"]) == {
        "converse-contract": "converse_contract.cli:main",
        "converse-emulator": "converse_emulator.cli:main",
    }
    assert dict(declared["pytest11"]) == {"converse": "pytest_converse.plugin"}
