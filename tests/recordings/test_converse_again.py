"""Recorded ConverseStream and Converse responses, made again: rebuilt as scenarios of plain steps.

The emulator answers each recorded request with the recorded bytes but for `p`, latency and counted tokens.
Ids and guardrails' reports are part of the scenario; no step is a literal event.
"""

import base64
import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder, Message, encode
from converse_emulator.http.responses import canonical_json
from converse_emulator.language.scenario import (
    Citation,
    Metadata,
    Reasoning,
    Reply,
    Step,
    Stop,
    Text,
    Throw,
    ToolResult,
    ToolUse,
)
from converse_emulator.playing.acts import Head, Send, Timeline
from converse_emulator.spelling.timeline import compile_reply

FOLDER = Path(__file__).parents[3] / "shared" / "recordings"
# Streams that no Bedrock sent.
FAKES = ("should-handle-converse-stream-reasoning-content", "test_bedrock_streaming_error")
# The only difference: a member of the usage that recordings from before September 2025 do not have.
SINCE_AUTUMN_2025 = {"serverToolUsage"}


@dataclass(frozen=True, slots=True)
class Recording:
    name: str
    model_id: str
    request: Mapping[str, Any]
    body: bytes


def recorded(name: str, operation: str) -> Recording | None:
    about = json.loads((FOLDER / f"{name}.bin.json").read_text())
    if about["operation"] != operation or about.get("synthetic") or any(fake in name for fake in FAKES):
        return None
    asked = (about["request"] or {}).get("body") or ""
    request = json.loads(asked) if asked.startswith("{") else {}  # two were not recorded
    return Recording(name, about["model"] or "", request, (FOLDER / f"{name}.bin").read_bytes())


def streams() -> list[Recording]:
    index = FOLDER / "INDEX.tsv"
    if not index.exists():
        return []
    with index.open(newline="") as lines:
        names = [row["file"] for row in csv.DictReader(lines, delimiter="\t")]
    return [found for name in names if (found := recorded(name, "converse-stream"))]


def answers() -> list[Recording]:
    files = sorted(FOLDER.glob("CONVERSE-*.bin"))
    return [found for file in files if (found := recorded(file.stem, "converse"))]


STREAMS, ANSWERS = streams(), answers()
pytestmark = pytest.mark.skipif(not STREAMS, reason=f"no recordings in {FOLDER}")


def named(recording: Recording) -> str:
    return recording.name[:60]


# ------------------------------------------------------------------------- from recordings to scenarios


def steps_of_stream(messages: list[Message]) -> Iterator[Step]:
    """The steps that say what a recorded stream says."""
    events = [(message, json.loads(message.payload)) for message in messages]
    blocks = [(body["contentBlockIndex"], body) for _, body in events if "contentBlockIndex" in body]
    for _, block in groupby(blocks, key=lambda each: each[0]):
        yield from steps_of_block([body for _, body in block])
    for message, body in events:
        match message.header(":event-type"), message.header(":exception-type"):
            case "messageStop", _:
                yield Stop(body["stopReason"])
            case "metadata", _ if "trace" in body:
                yield Metadata({"trace": body["trace"]})
            case _, str(exception):
                yield Throw(exception, body["message"])


def steps_of_block(bodies: list[Mapping[str, Any]]) -> Iterator[Step]:
    deltas = [body["delta"] for body in bodies if "delta" in body]
    start: Mapping[str, Any] = next((body["start"] for body in bodies if "start" in body), {})
    if call := start.get("toolUse"):
        pieces = tuple(delta["toolUse"]["input"] for delta in deltas)
        yield ToolUse(call["name"], "".join(pieces), call["toolUseId"], call.get("type"), split=pieces)
    if result := start.get("toolResult"):
        content = tuple(item for delta in deltas for item in delta["toolResult"])
        yield ToolResult(content, result["status"], result["toolUseId"], result["type"])
    yield from (Citation(delta["citation"]) for delta in deltas if "citation" in delta)
    if reasoning := [delta["reasoningContent"] for delta in deltas if "reasoningContent" in delta]:
        yield from steps_of_reasoning(reasoning)
    if texts := tuple(delta["text"] for delta in deltas if "text" in delta):
        yield Text("".join(texts), split=texts)


def steps_of_reasoning(deltas: list[Mapping[str, str]]) -> Iterator[Step]:
    if redacted := [delta["redactedContent"] for delta in deltas if "redactedContent" in delta]:
        yield from (Reasoning(redacted=base64.b64decode(each)) for each in redacted)
        return
    pieces = tuple(delta["text"] for delta in deltas if "text" in delta)
    signature = "".join(delta.get("signature", "") for delta in deltas)
    yield Reasoning("".join(pieces), signature, split=pieces)


def steps_of_answer(body: Mapping[str, Any]) -> Iterator[Step]:
    """The steps that say what a recorded body says."""
    for block in body["output"]["message"]["content"]:
        match block:
            case {"text": text}:
                yield Text(text)
            case {"toolUse": call}:
                yield ToolUse(call["name"], call["input"], call["toolUseId"], call.get("type"))
            case {"citationsContent": cited}:
                yield from (Citation(each) for each in cited["citations"])
                yield Text("".join(part["text"] for part in cited["content"]))
            case {"reasoningContent": {"reasoningText": thought}}:
                yield Reasoning(thought["text"], thought.get("signature", ""))
    yield Stop(body["stopReason"])
    if "trace" in body:
        yield Metadata({"trace": body["trace"]})


def again(recording: Recording, operation: str, reply: Reply) -> Timeline:
    """What the emulator answers to the recorded request, whose limits the recorded answer keeps already."""
    body = {**recording.request, "inferenceConfig": {}}
    request = Request(operation, recording.model_id, {}, body)
    return compile_reply(reply, request, seed="7", now=0.0)


def bytes_of(timeline: Timeline) -> bytes:
    return b"".join(beat.act.data for beat in timeline.beats if isinstance(beat.act, Send))


# --------------------------------------------------------------------------------------------- streams


@pytest.mark.parametrize("recording", STREAMS, ids=named)
def test_a_stream_is_made_again(recording: Recording) -> None:
    theirs = Decoder().feed(recording.body)
    ours = Decoder().feed(bytes_of(again(recording, "ConverseStream", tuple(steps_of_stream(theirs)))))
    assert len(ours) == len(theirs)
    made = (encode(as_counted(mine, real)) for mine, real in zip(ours, theirs, strict=True))
    assert b"".join(made) == recording.body


def as_counted(mine: Message, real: Message) -> Message:
    """Our message with the padding, the latency and the token counts of the real one."""
    body, counted = json.loads(mine.payload), json.loads(real.payload)
    if "p" in counted:
        body["p"] = counted["p"]
    if "usage" in counted:
        body["usage"] = recounted(body["usage"], counted["usage"])
        body["metrics"] = counted["metrics"] if body["metrics"].keys() == counted["metrics"].keys() else {}
    return Message(mine.headers, canonical_json(body))


def recounted(mine: Mapping[str, Any], real: Mapping[str, Any]) -> Mapping[str, Any]:
    """The real usage, if ours has the same members but for those that came later."""
    later = SINCE_AUTUMN_2025 - real.keys()
    return real if mine.keys() - later == real.keys() else mine


# ------------------------------------------------------------------------------------ blocking answers


@pytest.mark.parametrize("recording", ANSWERS, ids=named)
def test_a_blocking_answer_is_made_again(recording: Recording) -> None:
    real = json.loads(recording.body)
    timeline = again(recording, "Converse", tuple(steps_of_answer(real)))
    mine = json.loads(bytes_of(timeline))
    mine["usage"] = recounted(mine["usage"], real["usage"])
    mine["metrics"] = real["metrics"]
    assert canonical_json(mine) == recording.body
    names = [name for beat in timeline.beats if isinstance(beat.act, Head) for name, _ in beat.act.headers]
    assert names == ["Date", "Content-Type", "Content-Length", "Connection", "x-amzn-RequestId"]
