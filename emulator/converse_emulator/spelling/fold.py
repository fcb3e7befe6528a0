"""The events of a stream as the body of a blocking Converse response.

The body says what the events said: without messageStop no `stopReason`, without metadata no `usage`.
A tool's input that is no JSON, cut by maxTokens or broken on purpose, is the raw text as a JSON string, so
that nothing takes it for a complete input; no input at all is `{}`. Members are in alphabetical order, as
real Bedrock sends them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from converse_emulator.language.scenario import Json


@dataclass(slots=True)
class _Block:
    """A content block as its events come in."""

    start: Mapping[str, Json] = field(default_factory=dict)
    text: str = ""
    tool_input: str = ""
    reasoning: dict[str, str] = field(default_factory=dict)
    citations: list[Json] = field(default_factory=list)
    results: list[Json] = field(default_factory=list)
    image: dict[str, Json] = field(default_factory=dict)

    def add(self, delta: Mapping[str, Json]) -> None:
        match delta:
            case {"text": str(text)}:
                self.text += text
            case {"toolUse": {"input": str(text)}}:
                self.tool_input += text
            case {"reasoningContent": dict(members)}:
                for name, value in members.items():
                    self.reasoning[name] = self.reasoning.get(name, "") + str(value)
            case {"citation": citation}:
                self.citations.append(citation)
            case {"toolResult": [*results]}:
                self.results += results
            case {"image": dict(members)}:
                self.image |= members

    def content(self) -> dict[str, Json]:
        """The ContentBlock."""
        match self.start:
            case {"toolUse": dict(tool)}:
                return {"toolUse": _sorted({**tool, "input": _input(self.tool_input)})}
            case {"toolResult": dict(result)}:
                return {"toolResult": _sorted({**result, "content": self.results})}
            case {"image": dict(image)}:
                return {"image": _sorted({**image, **self.image})}
        match self.reasoning:
            case {"redactedContent": redacted}:
                return {"reasoningContent": {"redactedContent": redacted}}
            case {"text": _} | {"signature": _}:
                return {"reasoningContent": {"reasoningText": _sorted({"text": "", **self.reasoning})}}
        if self.citations:
            return {"citationsContent": {"citations": self.citations, "content": [{"text": self.text}]}}
        return {"text": self.text}


def fold(events: Iterable[tuple[str, Mapping[str, Json]]]) -> dict[str, Json]:
    """The Converse response body of a stream's (event type, payload) pairs; unknown ones are skipped."""
    blocks: dict[int, _Block] = {}
    role = None
    body: dict[str, Json] = {}
    for event_type, payload in events:
        match event_type, payload:
            case "messageStart", {"role": str(said)}:
                role = said
            case "contentBlockStart", {"contentBlockIndex": int(index), "start": dict(start)}:
                blocks.setdefault(index, _Block()).start = start
            case "contentBlockDelta", {"contentBlockIndex": int(index), "delta": dict(delta)}:
                blocks.setdefault(index, _Block()).add(delta)
            case (("messageStop" | "metadata"), _):
                body |= payload
    if role is not None:
        content = [blocks[index].content() for index in sorted(blocks)]
        body["output"] = {"message": {"content": content, "role": role}}
    return _sorted(body)


def _input(text: str) -> Json:
    if not text:
        return {}
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _sorted(members: dict[str, Json]) -> dict[str, Json]:
    return dict(sorted(members.items()))
