"""Write the packaged model catalogue as JSON; with `--check`, only say whether that is up to date."""

import json
import sys

from converse_emulator.models.catalogue import FOLDER
from converse_emulator.models.model_file import load_models

SOURCE, TARGET = FOLDER / "models.yaml", FOLDER / "models.json"


def written() -> str:
    """The JSON: one line a model."""
    lines = (
        f"{json.dumps(model_id)}:{json.dumps(members, separators=(',', ':'))}"
        for model_id, members in load_models(SOURCE).models.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Exit status: 0, or with `--check` 1 for a stale file."""
    wanted = written()
    if arguments == ["--check"]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != wanted:
            print(f"{TARGET} is stale: run python tools/catalogue.py", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
