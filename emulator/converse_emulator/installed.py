"""The versions of installed packages, at the price of a look into a folder.

Importing a package, or `importlib.metadata`, for its version takes a tenth of a second.
"""

import os
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

UNKNOWN = "of no known version"


ZTTP = "zttp>=0.0.35,<0.1"  # as in pyproject.toml


def lacks_http2() -> str:
    """Why HTTP/2 cannot be offered; empty if it can."""
    if find_spec("zttp") is None:
        return "zttp is not installed"
    version = version_of("zttp")
    return "" if version.startswith("0.0.") or version == UNKNOWN else f"zttp {version} is not known"


@cache
def version_of(package: str) -> str:
    """The version of a package that is called as its module is, by the folder that pip leaves beside it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return UNKNOWN
    return _versions(Path(spec.origin).parents[1]).get(package.lower(), UNKNOWN)


@cache
def _versions(folder: Path) -> Mapping[str, str]:
    """The packages that are installed in a folder: names in lower case, and versions."""
    found = [each.removesuffix(".dist-info") for each in os.listdir(folder) if each.endswith(".dist-info")]
    return {name.lower(): version for name, _, version in (each.partition("-") for each in found)}
