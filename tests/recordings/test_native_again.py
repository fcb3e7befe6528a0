"""Recorded streams of InvokeModelWithResponseStream, made again from their content as a scenario.

What is compared is each chunk's inner JSON as text, so with the order of its keys. Ids are part of the
scenario where it can give them; other ids, counted tokens and times are taken out on both sides.
"""

import base64
import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.framing.frames import PADDING
from converse_emulator.language.scenario import Bytes, Reply, Step, Stop, Text, ToolUse
from converse_emulator.models.model_ids import family
from converse_emulator.playing.acts import Head, Send, Timeline
from converse_emulator.spelling.operations import read
from converse_emulator.spelling.timeline import compile_reply

FOLDER = Path(__file__).parents[3] / "shared" / "recordings"
OPERATION = "InvokeModelWithResponseStream"

# Recordings whose chunks real Bedrock would send otherwise today, or that no scenario can ask for, and why.
DIFFERENT = {
    "dd-trace-py__anthropic_message_invoke_stream": "March 2024: keys in another order, ids without bdrk",
    "openllmetry__test_anthropic_3_completion_streaming__2": "May 2024: keys in another order",
    "dd-trace-py__anthropic_invoke_stream": "January 2024: completions without a `type`",
    "chatlas__test_anthropic_tool_variations": "December 2025: usage without `cache_creation`",
    "chatlas__test_anthropic_tool_variations__2": "December 2025: usage without `cache_creation`",
    "dd-trace-py__cohere_invoke_stream_multi_output": "two generations; a scenario is one answer",
    "opentelemetry-python-contrib__test_guardrail_invoke_stream": "a guardrail rewrote it: 3.0 tokens",
    "opentelemetry-python-contrib__test_titan_invoke_stream": "a guardrail rewrote it: 28.0 tokens",
}


@dataclass(frozen=True, slots=True)
class Recording:
    name: str
    model_id: str
    request: Mapping[str, Any]
    chunks: tuple[str, ...]  # the inner JSON of each
    headers: tuple[str, ...]


def recorded(row: Mapping[str, str]) -> Recording:
    about = json.loads((FOLDER / f"{row['file']}.bin.json").read_text())
    frames = Decoder().feed((FOLDER / f"{row['file']}.bin").read_bytes())
    chunks = tuple(base64.b64decode(json.loads(frame.payload)["bytes"]).decode() for frame in frames)
    headers = tuple(name for name, _ in about["response_headers"])
    return Recording(row["file"], about["model"], json.loads(about["request"]["body"]), chunks, headers)


def recordings() -> list[Recording]:
    index = FOLDER / "INDEX.tsv"
    if not index.exists():
        return []
    with index.open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return [recorded(row) for row in rows if row["operation"] == "invoke-with-response-stream"]


RECORDINGS = recordings()
pytestmark = pytest.mark.skipif(not RECORDINGS, reason=f"no recordings in {FOLDER}")


def named(recording: Recording) -> str:
    return recording.name[-60:]


# ------------------------------------------------------------------------- from recordings to scenarios

Chunk = Mapping[str, Any]


def of_claude(chunks: list[Chunk]) -> Iterator[Step]:
    if "completion" in chunks[0]:
        yield from texts([chunk["completion"] for chunk in chunks])
        return
    blocks = [chunk for chunk in chunks if "index" in chunk]
    for _, block in groupby(blocks, key=lambda chunk: chunk["index"]):
        start, *rest = block
        deltas = [chunk["delta"] for chunk in rest if "delta" in chunk]
        if start["content_block"]["type"] == "tool_use":
            pieces = tuple(delta["partial_json"] for delta in deltas)
            call = start["content_block"]
            yield ToolUse(call["name"], "".join(pieces), call["id"], split=pieces)
        else:
            yield from texts([delta["text"] for delta in deltas])
    yield Stop(next(chunk["delta"]["stop_reason"] for chunk in chunks if chunk["type"] == "message_delta"))


def of_nova(chunks: list[Chunk]) -> Iterator[Step]:
    deltas = [chunk["contentBlockDelta"]["delta"] for chunk in chunks if "contentBlockDelta" in chunk]
    yield from texts([delta["text"] for delta in deltas])
    yield Stop(next(chunk["messageStop"]["stopReason"] for chunk in chunks if "messageStop" in chunk))


def of_titan(chunks: list[Chunk]) -> Iterator[Step]:
    yield from texts([chunk["outputText"] for chunk in chunks])
    yield Stop({"LENGTH": "max_tokens"}.get(chunks[-1].get("completionReason", ""), "end_turn"))


def of_llama(chunks: list[Chunk]) -> Iterator[Step]:
    yield from texts([chunk["generation"] for chunk in chunks])
    yield Stop({"length": "max_tokens"}.get(chunks[-1]["stop_reason"], "end_turn"))


def of_mistral(chunks: list[Chunk]) -> Iterator[Step]:
    yield from texts([chunk["outputs"][0]["text"] for chunk in chunks])
    yield Stop({"length": "max_tokens"}.get(chunks[-1]["outputs"][0]["stop_reason"], "end_turn"))


def of_cohere(chunks: list[Chunk]) -> Iterator[Step]:
    if "generations" in chunks[0]:
        yield from texts([chunks[0]["generations"][0]["text"]])
        reason = chunks[0]["generations"][0]["finish_reason"]
    else:
        yield from texts([chunk["text"] for chunk in chunks if "text" in chunk])
        reason = chunks[-1]["finish_reason"]
    yield Stop({"MAX_TOKENS": "max_tokens"}.get(reason, "end_turn"))


def texts(pieces: list[str]) -> Iterator[Step]:
    yield Text("".join(pieces), split=tuple(pieces))


REBUILT: Mapping[str, Callable[[list[Chunk]], Iterator[Step]]] = {
    "claude": of_claude,
    "nova": of_nova,
    "titan": of_titan,
    "llama": of_llama,
    "mistral": of_mistral,
    "command": of_cohere,
    "command-r": of_cohere,
}


def scenario_of(recording: Recording) -> Reply:
    chunks = [json.loads(chunk) for chunk in recording.chunks]
    return tuple(REBUILT[family(recording.model_id)](chunks))


def again(recording: Recording) -> Timeline:
    """What the emulator answers to the recorded request, whose limits the recorded answer keeps already."""
    content, native = read(OPERATION, recording.model_id, {}, recording.request)
    body = {name: value for name, value in content.items() if name != "inferenceConfig"}
    request = Request(OPERATION, recording.model_id, {}, body, native=native)
    return compile_reply(scenario_of(recording), request, seed="7", now=0.0)


def chunks_of(timeline: Timeline) -> Iterator[str]:
    for beat in timeline.beats:
        if isinstance(beat.act, Send):
            (frame,) = Decoder().feed(beat.act.data)
            payload = json.loads(frame.payload)
            assert list(payload) == ["bytes", "p"]
            assert PADDING.startswith(payload["p"])
            yield base64.b64decode(payload["bytes"]).decode()


# ------------------------------------------------------------------------------------------- comparing

COUNTED = ("okens", "Tokens", "TokenCount", "_token_count", "Latency", "tokens")
IDS = ("id", "response_id", "generation_id")


def comparable(chunk: str) -> str:
    """A chunk without what cannot be the same: counts, times, ids."""
    return json.dumps(_blank(json.loads(chunk)), ensure_ascii=False, separators=(",", ":"))


def _blank(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {key: _blank(each, key) for key, each in value.items()}
        case list():
            return [_blank(each, name) for each in value]
        case int() if name.endswith(COUNTED):
            return 0
        case str() if name in IDS and not value.startswith("toolu_"):
            return "id"
        case _:
            return value


@pytest.mark.parametrize("recording", RECORDINGS, ids=named)
def test_the_chunks_are_made_again(recording: Recording) -> None:
    ours = [comparable(chunk) for chunk in chunks_of(again(recording))]
    theirs = [comparable(chunk) for chunk in recording.chunks]
    if why := DIFFERENT.get(recording.name):
        assert ours != theirs, f"no longer different: {why}"
    else:
        assert ours == theirs


@pytest.mark.parametrize("recording", RECORDINGS, ids=named)
def test_chunks_that_are_scripted_literally_are_the_recorded_bytes(recording: Recording) -> None:
    """Whatever their date and family: with `bytes` steps nothing differs, the padding aside."""
    content, native = read(OPERATION, recording.model_id, {}, recording.request)
    request = Request(OPERATION, recording.model_id, {}, content, native=native)
    reply = tuple(Bytes(chunk.encode()) for chunk in recording.chunks)
    timeline = compile_reply(reply, request, seed="7", now=0.0)
    assert tuple(chunks_of(timeline)) == recording.chunks


@pytest.mark.parametrize("recording", RECORDINGS, ids=named)
def test_the_chunks_are_compact_json_in_utf_8(recording: Recording) -> None:
    for chunk in chunks_of(again(recording)):
        assert chunk == json.dumps(json.loads(chunk), ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("recording", RECORDINGS, ids=named)
def test_the_head_has_the_recorded_headers(recording: Recording) -> None:
    (head,) = [beat.act for beat in again(recording).beats if isinstance(beat.act, Head)]
    names = [name for name, _ in head.headers]
    assert names[-1] == "X-Amzn-Bedrock-Content-Type"
    assert {name.lower() for name in recording.headers} - {"set-cookie"} <= {name.lower() for name in names}


def test_each_difference_is_of_a_recording() -> None:
    assert {recording.name for recording in RECORDINGS} >= DIFFERENT.keys()
