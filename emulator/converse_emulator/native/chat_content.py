"""What the formats of chat completions have in common: a text and tool calls, whole or in deltas."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Body, Document
from converse_emulator.native.text_only import content_of


@dataclass(slots=True)
class Content:
    """A message's content: its reasoning, its text and its calls, each a name, an id and its JSON text."""

    reasoning: str = ""
    text: str = ""
    calls: list[tuple[str, str, str]] = field(default_factory=list)


def contents(message: Body) -> Content:
    """What a folded answer says."""
    content = Content()
    for block in content_of(message):
        match block:
            case {"text": text}:
                content.text += text
            case {"citationsContent": {"content": parts}}:
                content.text += "".join(part["text"] for part in parts)
            case {"reasoningContent": {"reasoningText": {"text": text}}}:
                content.reasoning += text
            case {"toolUse": call}:
                content.calls.append((call["name"], call["toolUseId"], arguments(call["input"])))
    return content


def arguments(given: Json) -> str:
    """A call's input as JSON text; one that is no JSON is that text already."""
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


class Calls:
    """The deltas of the tool calls in one streamed answer, counted."""

    def __init__(self) -> None:
        self._index = -1

    def start(self, call: Mapping[str, Json]) -> Document:
        """The delta that begins a call."""
        self._index += 1
        function = {"arguments": "", "name": call["name"]}
        return {"function": function, "id": call["toolUseId"], "index": self._index, "type": "function"}

    def piece(self, text: str) -> Document:
        """A delta of its arguments."""
        return {"function": {"arguments": text}, "index": max(0, self._index)}
