"""Who may import whom: the import rules of ARCHITECTURE.md, read from the code itself."""

import ast
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {path.parent.name: path.parent for path in ROOT.glob("*/*/py.typed")}

# What a package may import besides the standard library and itself.
MAY_IMPORT = {
    "converse_emulator": {
        "prometheus_client",
        "boto3",
        "botocore",
        "converse_fixtures",
        "converse_hops",
        "faker",
        "hypothesis",
        "h11",
        "platformdirs",
        "starlette",
        "trustme",
        "uvicorn",
        "yaml",
        "zttp",
    },
    "converse_hops": {"converse_emulator", "h11", "websockets"},
    "pytest_converse": {"converse_emulator", "pytest"},
    "converse_fixtures": {"converse_emulator", "faker"},
    "converse_handler": {
        "anyio",
        "boto3",
        "botocore",
        "prometheus_client",
        "redis",
        "starlette",
        "urllib3",
        "uvicorn",
    },
    "converse_contract": {
        "boto3",
        "botocore",
        "converse_emulator",
        "converse_hops",
        "httpx",
        "rich",
        "starlette",
        "urllib3",
        "uvicorn",
        "websockets",
    },
}

# The only modules that may touch these libraries.
ONLY = {
    ("converse_emulator", "boto3"): {"emulator"},
    ("converse_emulator", "botocore"): {"emulator", "signed_call"},
    ("converse_emulator", "converse_hops"): {"cli"},
    ("converse_emulator", "starlette"): {"control"},
    ("converse_emulator", "platformdirs"): {"tls"},
    ("converse_emulator", "trustme"): {"tls"},
    ("converse_emulator", "h11"): {"h11_wire"},
    ("converse_emulator", "uvicorn"): {"uvicorn_side", "zttp_side", "http2_lane", "h11_side"},
    ("converse_emulator", "zttp"): {"zttp_side", "http2_lane"},
    ("converse_emulator", "prometheus_client"): {"metrics"},
    ("converse_emulator", "faker"): {"prose"},
    ("converse_emulator", "yaml"): {"loader", "replay"},
    ("converse_hops", "h11"): {"link", "server", "client"},
    ("converse_hops", "websockets"): {"api", "connection", "front", "hop", "realtime", "session"},
    ("converse_contract", "converse_hops"): {"backend", "stacks", "wiring"},
    ("converse_contract", "websockets"): {"appsync", "websocket"},
    ("converse_handler", "boto3"): {"bridge", "connections", "websocket_lambda"},
    ("converse_handler", "botocore"): {"appsync", "bridge", "connections", "failures", "websocket_lambda"},
    ("converse_handler", "urllib3"): {"appsync", "bridge", "failures"},
    ("converse_handler", "redis"): {"shared"},
    ("converse_handler", "starlette"): {"app", "appsync_app", "websocket_app"},
    ("converse_handler", "uvicorn"): {"__main__"},
}


def imports(path: Path) -> Iterator[str]:
    """The top-level names that a module imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_imports_only_what_it_may(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    strangers = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in PACKAGES[package].rglob("*.py")
        for name in imports(path)
        if name not in allowed and name not in sys.stdlib_module_names
    }
    assert strangers == set()


@pytest.mark.parametrize(("package", "library"), sorted(ONLY))
def test_a_library_is_touched_by_its_modules_only(package: str, library: str) -> None:
    users = {path.stem for path in PACKAGES[package].rglob("*.py") if library in set(imports(path))}
    assert users <= ONLY[package, library]


def test_only_the_contract_suites_mutants_are_servers_that_call_bedrock() -> None:
    suite = PACKAGES["converse_contract"]
    users = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in suite.rglob("*.py")
        for name in imports(path)
        if name in {"boto3", "botocore", "starlette", "urllib3", "uvicorn"}
        and suite / "mutants" not in path.parents
    }
    assert users == set()


@pytest.mark.parametrize(
    ("package", "besides"),
    [("converse_emulator", set()), ("converse_hops", {"converse_hops.websocket.limits"})],
)
def test_the_contract_suite_uses_public_names_only(package: str, besides: set[str]) -> None:
    public = import_module(package).__all__
    private = {
        f"{path.relative_to(ROOT)}: from {node.module} import {alias.name}"
        for path in PACKAGES["converse_contract"].rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package
        if node.module not in besides
        for alias in node.names
        if node.module != package or alias.name not in public
    }
    assert private == set()
