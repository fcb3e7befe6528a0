"""Counts over a folder of recorded responses how often each fact of the wire was seen; writes evidence.json.

    python tools/evidence_count.py FOLDER

A recording is a body FILE.bin and FILE.bin.json about it; those that no Bedrock sent are left out. What is
counted is what `evidence_table.py` shows, from the file, so that the table needs no recordings.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from converse_emulator.linting.wire_frames import Capture, take_apart
from converse_emulator.linting.wire_rules import RULES
from converse_emulator.shapes.service import model

FILE = Path(__file__).with_name("evidence.json")
STREAM = "ConverseStreamOutput"
DEEPEST = 4  # members in each other; what traces have inside is not counted
FAKES = ("should-handle-converse-stream-reasoning-content", "test_bedrock_streaming_error")


def count(folder: Path) -> dict[str, Any]:
    """All counts: recordings by operation, bodies that keep each rule, or show each member, and errors."""
    recordings: Counter[str] = Counter()
    kept: Counter[str] = Counter({rule.name: 0 for rule in RULES})
    seen: Counter[str] = Counter(dict.fromkeys(members(), 0))
    errors: Counter[str] = Counter()
    frames = 0
    for operation, status, headers, body in real(folder):
        if status >= 400:
            recordings["errors"] += 1
            errors[headers.get("x-amzn-errortype", "without a type").partition(":")[0]] += 1
            continue
        recordings[operation] += 1
        if operation == "converse-stream":
            capture = take_apart(body)
            frames += len(capture.frames)
            kept.update(rule.name for rule in RULES if not list(rule.check(capture)))
            seen.update(shown(capture) & seen.keys())
    return {
        "recordings": dict(sorted(recordings.items())),
        "frames": frames,
        "rules": dict(kept),
        "seen": dict(seen),
        "errors": dict(sorted(errors.items())),
    }


def real(folder: Path) -> Iterator[tuple[str, int, dict[str, str], bytes]]:
    """Operation, status, headers (names in lower case) and body of each recording of Bedrock's own."""
    for sidecar in sorted(folder.glob("*.bin.json")):
        about = json.loads(sidecar.read_text(encoding="utf-8"))
        if not about.get("synthetic") and not any(fake in sidecar.name for fake in FAKES):
            headers = {name.lower(): value for name, value in about["response_headers"]}
            yield about["operation"], about["status"], headers, sidecar.with_suffix("").read_bytes()


def members() -> Iterator[str]:
    """Every member that the service model has for the stream, and every stop reason."""
    yield from _members(STREAM, ())


def _members(shape_name: str, path: tuple[str, ...]) -> Iterator[str]:
    shape = model()["shapes"][shape_name]
    if path and path[-1] == "stopReason":
        yield from (f"{'.'.join(path)}={value}" for value in shape["enum"])
    if shape["type"] == "list":
        yield from _members(shape["member"]["shape"], path)
    elif shape["type"] == "structure" and len(path) < DEEPEST and "trace" not in path:
        for name, member in shape["members"].items():
            yield ".".join((*path, name))
            if not shape.get("exception"):
                yield from _members(member["shape"], (*path, name))


def shown(capture: Capture) -> set[str]:
    """The members that a body shows, told as `members` tells them."""
    found: set[str] = set()
    for frame in capture.frames:
        found.add(frame.kind)
        found |= set(_shown(frame.members, (frame.kind,)))
    return found


def _shown(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield ".".join((*path, name))
                yield from _shown(inner, (*path, name))
        case list():
            for inner in value:
                yield from _shown(inner, path)
        case str() if path[-1] == "stopReason":
            yield f"{'.'.join(path)}={value}"


if __name__ == "__main__":
    FILE.write_text(json.dumps(count(Path(sys.argv[1])), indent=1) + "\n", encoding="utf-8")
