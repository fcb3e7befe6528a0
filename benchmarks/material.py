"""What every server is asked and what it answers: one request, one body of frames, one schedule."""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

from converse_emulator.framing.frames import draw_padding, event_frame

WORDS = 100  # deltas of the answer: with what stands around them 104 frames
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
PATH = f"/model/{MODEL}/converse-stream"
REQUEST = {
    "messages": [{"role": "user", "content": [{"text": "Say a hundred words, please."}]}],
    "system": [{"text": "You are a helpful assistant."}],
    "inferenceConfig": {"maxTokens": 64000, "temperature": 0.5},
}
HEADERS = {  # as boto3 sends them
    "Content-Type": "application/json",
    "User-Agent": "Boto3/1.43.117 md/Botocore#1.43.117 ua/2.1 os/linux#6.18 md/arch#x86_64 lang/python#3.11",
    "X-Amz-Date": "20261127T120000Z",
    "Authorization": (
        "AWS4-HMAC-SHA256 Credential=default/20261127/us-east-1/bedrock/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, Signature=" + "5d672d79" * 8
    ),
    "amz-sdk-invocation-id": "5b0c1a60-6a6c-4f3e-9d5e-3c2a0b8f1e11",
    "amz-sdk-request": "attempt=1",
}


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of an answer, and the moment of each in seconds after the request."""

    frames: tuple[bytes, ...]
    moments: tuple[float, ...]


def body() -> bytes:
    """The request's body."""
    return json.dumps(REQUEST, separators=(",", ":")).encode()


def text(words: int = WORDS) -> str:
    """So many words of five characters."""
    return "".join(f"w{number % 1000:03} " for number in range(words))


def frames(words: int = WORDS, every: float = 0.0) -> Frames:
    """The answer as Bedrock would frame it: the first delta at once, the others `every` seconds apart."""
    rng = Random(0)
    events: list[tuple[str, dict[str, object]]] = [("messageStart", {"role": "assistant"})]
    pieces = text(words)
    for start in range(0, len(pieces), 5):
        delta = {"text": pieces[start : start + 5]}
        events.append(("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}))
    events.append(("contentBlockStop", {"contentBlockIndex": 0}))
    events.append(("messageStop", {"stopReason": "end_turn"}))
    usage = {"inputTokens": 30, "outputTokens": words, "totalTokens": 30 + words}
    events.append(("metadata", {"metrics": {"latencyMs": 0}, "usage": usage}))
    made = tuple(event_frame(name, payload, draw_padding(rng)) for name, payload in events)
    last = (words - 1) * every
    moments = (0.0, *(number * every for number in range(words)), last, last, last)
    return Frames(made, moments)


def scenario(folder: Path, words: int = WORDS, every: float = 0.0) -> Path:
    """A folder with the scenario that gives this answer to every request."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("words.yaml").write_text(
        "title: Words.\nhandlers: Show them.\nmatch: {operation: ConverseStream}\n"
        f"replies: [[{{split: words}}, {{text: {text(words)!r}, every: {every * 1000:g}ms}}]]\n"
    )
    return folder
