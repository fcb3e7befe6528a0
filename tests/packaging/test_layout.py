"""The source roots hold uniquely named import packages and nothing else importable."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "emulator": {"converse_emulator", "converse_hops", "pytest_converse"},
    "fixtures": {"converse_fixtures"},
    "reference_handler": {"converse_handler"},
    "contract_tests": {"converse_contract"},
}


@pytest.mark.parametrize("root", PACKAGES)
def test_a_source_root_holds_its_packages_only(root: str) -> None:
    folders = {path.name for path in (ROOT / root).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == PACKAGES[root]
    modules = {path.name for path in (ROOT / root).glob("*.py")}
    allowed = (
        {"test_reference_handler.py", "test_delivery.py", "conftest.py"}
        if root == "contract_tests"
        else set()
    )
    assert modules <= allowed


@pytest.mark.parametrize("package", sorted(set().union(*PACKAGES.values())))
def test_every_package_is_typed(package: str) -> None:
    (folder,) = ROOT.glob(f"*/{package}")
    assert (folder / "py.typed").exists()
    assert (folder / "__init__.py").exists()


def test_modules_stay_small() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for root in PACKAGES
        for path in (ROOT / root).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 300
    }
    assert long == {}
