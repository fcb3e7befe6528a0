"""Writes habits and native forms into docs/operations.md; with `--check`, only says if they are stale."""

import base64
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from converse_emulator.choosing.request import Request
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.language.scenario import Text
from converse_emulator.native.formats import FAMILIES
from converse_emulator.playing.acts import Send
from converse_emulator.scripting.habits import TABLE, Habits
from converse_emulator.spelling.operations import read
from converse_emulator.spelling.timeline import compile_reply
from generated import main, row

CHAT = {"messages": [{"role": "user", "content": "Hi"}]}
PROMPT = {"prompt": "Hi"}
# For each format a model of it and a request.
EXAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "claude": (
        "anthropic.claude-3-haiku-20240307-v1:0",
        {**CHAT, "anthropic_version": "bedrock-2023-05-31", "max_tokens": 99},
    ),
    "claude, text completions": ("anthropic.claude-v2:1", {**PROMPT, "max_tokens_to_sample": 99}),
    "nova": ("amazon.nova-lite-v1:0", {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}),
    "titan": ("amazon.titan-text-express-v1", {"inputText": "Hi"}),
    "llama": ("meta.llama3-8b-instruct-v1:0", PROMPT),
    "mistral, text completion": ("mistral.mistral-7b-instruct-v0:2", PROMPT),
    "mistral, chat": ("mistral.pixtral-large-2502-v1:0", CHAT),
    'command, with `"stream": true`': ("cohere.command-text-v14", {**PROMPT, "stream": True}),
    "command-r": ("cohere.command-r-v1:0", {"message": "Hi"}),
    "jamba": ("ai21.jamba-1-5-mini-v1:0", CHAT),
    "deepseek, text completion": ("us.deepseek.r1-v1:0", PROMPT),
    "gpt-oss": ("openai.gpt-oss-120b-1:0", CHAT),
    "gpt": ("us.openai.gpt-6-sol", CHAT),
}
METRICS = re.compile(r'("amazon-bedrock-invocationMetrics":)\{[^}]*\}')
NOISE = re.compile(r'("obfuscation":)"[^"]*"')


def content() -> str:
    """Both parts."""
    return "\n".join(
        ["### Habits by model", "", *habits(), "", "### The same answer, natively", "", *forms()]
    )


def habits() -> Iterator[str]:
    """A row for each row of the table of habits."""
    yield row("ids that begin with", "tokens a delta", "and")
    yield "|---|---|---|"
    for prefix, habit in TABLE:
        yield row(
            f"`{prefix}`", "all" if habit.tokens is None else str(habit.tokens), ", ".join(flags(habit))
        )


def flags(habit: Habits) -> Iterator[str]:
    """The habits that are on, by their names."""
    for name, value in habit._asdict().items():
        if value is True:
            yield f"`{name}`"


def forms() -> Iterator[str]:
    """What each format makes of the text "Hi you", as chunks and as a body."""
    for name, (model_id, native) in EXAMPLES.items():
        assert name.split(",")[0] in FAMILIES
        yield from [f"**{name}**", "", "```json"]
        yield from (shortened(chunk) for chunk in chunks(model_id, native))
        yield from [
            "```",
            "",
            "```json",
            shortened(sent("InvokeModel", model_id, native).decode()),
            "```",
            "",
        ]


def chunks(model_id: str, native: dict[str, Any]) -> Iterator[str]:
    """What the chunks of a stream have inside."""
    for frame in Decoder().feed(sent("InvokeModelWithResponseStream", model_id, native)):
        yield base64.b64decode(json.loads(frame.payload)["bytes"]).decode()


def sent(operation: str, model_id: str, native: dict[str, Any]) -> bytes:
    body, _ = read(operation, model_id, {}, native)
    request = Request(operation, model_id, {}, body, native=native)
    timeline = compile_reply((Text("Hi you"),), request, seed="docs", now=1_790_214_869.0)
    return b"".join(beat.act.data for beat in timeline.beats if isinstance(beat.act, Send))


def shortened(text: str) -> str:
    return NOISE.sub(r'\1"…"', METRICS.sub(r"\1{…}", text))


if __name__ == "__main__":
    raise SystemExit(main("docs/operations.md", "operations_table.py", content, sys.argv[1:]))
