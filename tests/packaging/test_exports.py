"""The public names of each package, pinned: a change here is a change for users."""

import importlib

import pytest

PUBLIC = {
    "converse_emulator": [
        "Emulator",
        "EmulatorError",
        "Exchange",
        "Library",
        "Miss",
        "Scenario",
        "ScenarioError",
        "Session",
        "UnknownScenario",
        "VerifyError",
    ],
    "converse_contract": [
        "Case",
        "CouldNotRun",
        "Evidence",
        "Finding",
        "Level",
        "Limits",
        "Outcome",
        "ReferenceDialect",
        "Results",
        "Target",
        "Verdict",
        "run",
    ],
    "converse_fixtures": ["load_text", "names", "path"],
    "converse_hops": [
        "AppSyncEvents",
        "BufferingProxy",
        "CloudFront",
        "Function",
        "FunctionUrl",
        "Hop",
        "HttpApi",
        "LoadBalancer",
        "RestApi",
        "WebAdapter",
        "WebSocketApi",
    ],
    "converse_handler": ["Settings", "create_app"],
}


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_names_are_these_and_they_are_there(package: str) -> None:
    module = importlib.import_module(package)
    assert sorted(module.__all__) == PUBLIC[package]
    assert len(PUBLIC[package]) <= 12
    for name in PUBLIC[package]:
        assert getattr(module, name) is not None
