"""The parts alone: text to frame beside smithy's encoder, validation beside botocore's."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.peers import Skipped, virtual_environment
from benchmarks.results import Report, Row, Sample, ratio, rounds

SMITHY = "smithy-aws-event-stream==0.3.0"
PYTHONS = ("python3.14", "python3.13", "python3.12")  # smithy needs 3.12
PYENV = Path.home() / ".pyenv" / "versions"


def run(report: Report, count: int) -> None:
    """Measure, and add the rows."""
    found = rounds(report, "text to frame", count, ("emulator", "smithy"), _encoding)
    smithy, note = ratio(found, "us", "emulator", "smithy"), report.skipped.get("smithy", "")
    report.add(Row("text to frame / smithy's encoder", smithy, 1 / 8, at_most=True, note=note))
    for size in ("small", "large"):
        measure = partial(_validation, size)
        found = rounds(report, f"validation, {size}", count, ("emulator", "botocore"), measure)
        what = f"validation of a {size} request / ParamValidator"
        report.add(Row(what, ratio(found, "us", "emulator", "botocore"), 1 / 3, at_most=True))


def _encoding(who: str) -> Sample:
    if who == "emulator":
        return _timed(sys.executable, _OWN)
    return _timed(str(_smithy()), _SMITHY)


def _smithy() -> Path:
    others = sorted(map(str, PYENV.glob("3.1[2-9]*/bin/python")))
    python = next((each for each in (*PYTHONS, *others) if _works(each)), None)
    if python is None:
        raise Skipped(f"smithy needs Python 3.12, and none of {', '.join(PYTHONS)} is here")
    return virtual_environment("smithy", SMITHY, python=python)


def _works(python: str) -> bool:
    try:
        return subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _validation(size: str, who: str) -> Sample:
    return _timed(sys.executable, _REQUESTS + (_CHECKS if who == "emulator" else _BOTOCORE), size)


def _timed(python: str, program: str, *arguments: str) -> Sample:
    told = subprocess.run(
        [python, "-c", _CLOCK + program, *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    if told.returncode:
        raise Skipped(told.stderr.strip().splitlines()[-1])
    return {"us": json.loads(told.stdout)}


_CLOCK = """
import sys, time
def tell(function, number=2000):
    best = 1e9
    for _ in range(7):
        start = time.process_time()
        for _ in range(number):
            function()
        best = min(best, time.process_time() - start)
    print(best / number * 1e6)
TEXTS = [f"word{n:03} " for n in range(100)]
"""
_OWN = """
from converse_emulator.framing.frames import event_frame
def frames():
    for n, text in enumerate(TEXTS):
        event_frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}, 2 + n % 60)
tell(frames, 50)
"""
_SMITHY = """
import json
from smithy_aws_event_stream.events import EventHeaderEncoder, EventMessage
PAD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
HEADERS = {":event-type": "contentBlockDelta", ":content-type": "application/json", ":message-type": "event"}
def frames():
    for n, text in enumerate(TEXTS):
        body = {"contentBlockIndex": 0, "delta": {"text": text}, "p": PAD[:2 + n % 60]}
        EventMessage(headers=HEADERS, payload=json.dumps(body, separators=(",", ":")).encode()).encode()
tell(frames, 50)
"""
_REQUESTS = """
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
small = {"messages": [{"role": "user", "content": [{"text": "Say a hundred words."}]}],
         "inferenceConfig": {"maxTokens": 1024, "temperature": 0.5}}
turns = []
for n in range(5):
    turns += [
        {"role": "user", "content": [{"text": "What about order number %d? " % n * 4}]},
        {"role": "assistant", "content": [{"text": "I look it up."},
            {"toolUse": {"toolUseId": "tooluse_%d" % n, "name": "lookup", "input": {"order": n}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "tooluse_%d" % n, "status": "success",
            "content": [{"json": {"state": "sent"}}, {"text": "It was sent on Monday."}]}}]},
    ]
tool = {"toolSpec": {"name": "lookup", "description": "Looks an order up",
        "inputSchema": {"json": {"type": "object", "properties": {"order": {"type": "integer"}}}}}}
large = {"messages": turns, "system": [{"text": "You help customers. " * 10}],
         "inferenceConfig": {"maxTokens": 1024, "stopSequences": ["END"]},
         "toolConfig": {"tools": [tool] * 3}}
REQUEST = {"small": small, "large": large}[sys.argv[1]]
"""
_CHECKS = """
from converse_emulator.shapes.service import violations
assert violations("ConverseStream", MODEL, REQUEST) == []
tell(lambda: violations("ConverseStream", MODEL, REQUEST), 500)
"""
_BOTOCORE = """
import botocore.session
from botocore.validate import ParamValidator
model = botocore.session.get_session().get_service_model("bedrock-runtime")
shape = model.operation_model("ConverseStream").input_shape
validator, members = ParamValidator(), {**REQUEST, "modelId": MODEL}
assert not validator.validate(members, shape).has_errors()
tell(lambda: validator.validate(members, shape), 500)
"""
