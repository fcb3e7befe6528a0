"""What takes long to find out about installed packages, kept in the user's cache folder from run to run.

Each entry is a JSON file whose name has all that it depends on: a new version is a new file. Where nothing
can be kept, it is found out every time.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from converse_emulator.language.scenario import Json


def cached(name: str, find_out: Callable[[], Json]) -> Json:
    """The value kept under `name`, found out and kept if there is none that can be read."""
    with suppress(OSError, ValueError, RuntimeError):  # RuntimeError: nobody's home is known
        return json.loads((_folder() / f"{name}.json").read_bytes())
    value = find_out()
    with suppress(OSError, RuntimeError):
        _keep(_folder() / f"{name}.json", value)
    return value


def _keep(path: Path, value: Json) -> None:
    """Write the file in one go: others may be reading it, or writing the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(json.dumps(value, separators=(",", ":")))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _folder() -> Path:
    """Where the system wants such files; `platformdirs` says the same, and takes as long as it saves."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "converse-emulator"
    base = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "converse-emulator"
