"""What the formats have in common that know nothing but text: what they read and what they cannot say."""

from collections.abc import Iterator, Mapping

from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Body, Unspeakable
from converse_emulator.scripting.performance import Emit, text_of

_NAMES = {
    "toolUse": "a tool call",
    "toolResult": "a tool's result",
    "reasoningContent": "reasoning",
    "image": "an image",
}


def text_delta(emit: Emit, name: str, *, reasons: bool = False) -> str | None:
    """The text of a delta, None for an event that has none; raises `Unspeakable`.

    `reasons`: reasoning can be said, if not as text.
    """
    for member in ("start", "delta"):
        _refuse(emit.body.get(member), name, reasons=reasons)
    has_text = emit.type == "contentBlockDelta" and "text" in emit.body["delta"]
    return text_of(emit) if has_text else None


def reasoning_delta(emit: Emit) -> str | None:
    """The reasoning in a delta, None for an event that has none."""
    delta = emit.body.get("delta") if emit.type == "contentBlockDelta" else None
    text = delta.get("reasoningContent", {}).get("text") if isinstance(delta, Mapping) else None
    return text if isinstance(text, str) else None


def text_of_answer(message: Body, name: str, *, reasons: bool = False) -> str:
    """The text of a folded answer; raises `Unspeakable`."""
    return "".join(_texts(message, name, reasons=reasons))


def content_of(message: Body) -> list[Mapping[str, Json]]:
    """The content blocks of a folded answer."""
    content: list[Mapping[str, Json]] = message.get("output", {}).get("message", {}).get("content", [])
    return content


def _texts(message: Body, name: str, *, reasons: bool) -> Iterator[str]:
    for block in content_of(message):
        _refuse(block, name, reasons=reasons)
        for part in block.get("citationsContent", {}).get("content", ()):
            yield part["text"]
        yield block.get("text", "")


def _refuse(said: Json, name: str, *, reasons: bool) -> None:
    for member in said if isinstance(said, Mapping) else ():
        if member in _NAMES and not (reasons and member == "reasoningContent"):
            raise Unspeakable(name, _NAMES[member])
