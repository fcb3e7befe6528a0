"""Packages from npm for one test, in a folder of their own that is kept: made in CI, used where it is."""

import os
from pathlib import Path

import pytest

from conformance.clients import Client
from conformance.environments import build, folder_of, is_built


def node_folder(name: str, *packages: str) -> Path:
    """The folder in which Node finds these packages, as in `ws@8.21.1`; skips the test without it."""
    environment = Client(name, "node", packages, script="", operation="", protocol="")
    if not is_built(environment):
        if not os.environ.get("CI"):
            pytest.skip(f"{packages[0]} is not installed; CI=true installs it")
        build(environment, lambda: None)
    return folder_of(environment)
