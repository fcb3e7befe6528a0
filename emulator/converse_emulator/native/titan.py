"""Amazon Titan Text: a prompt, and its continuation in very few chunks."""

from collections.abc import Iterator, Mapping

from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Answer, Body, Document, Format, joined, unspoken
from converse_emulator.native.reading import conversation, prompt
from converse_emulator.native.text_only import text_delta, text_of_answer
from converse_emulator.scripting.performance import Emit

NAME = "Titan"
# FINISH and LENGTH were recorded, the others are of the documentation.
_REASONS = {
    "end_turn": "FINISH",
    "max_tokens": "LENGTH",
    "stop_sequence": "STOP_CRITERIA_MET",
    "content_filtered": "CONTENT_FILTERED",
}


def _read(body: Body) -> Body:
    config = body.get("textGenerationConfig")
    config = config if isinstance(config, Mapping) else {}
    return conversation(
        prompt(body.get("inputText")), most=config.get("maxTokenCount"), stops=config.get("stopSequences")
    )


def _body(answer: Answer, message: Body) -> Document:
    result = {
        "tokenCount": answer.said,
        "outputText": text_of_answer(message, NAME),
        "completionReason": _reason(message.get("stopReason")),
    }
    return {"inputTextTokenCount": answer.sent, "results": [result]}


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._sent: int | None = answer.sent  # told once

    def event(self, emit: Emit) -> Iterator[Document]:
        text = text_delta(emit, NAME)
        if text is not None:
            yield self._chunk(text)
        elif emit.type == "metadata":
            yield self._chunk("", self._answer.said, _reason(self._answer.reason))

    def _chunk(self, text: str, said: int | None = None, reason: str | None = None) -> Document:
        sent, self._sent = self._sent, None
        return {
            "outputText": text,
            "index": 0,
            "totalOutputTextTokenCount": said,
            "completionReason": reason,
            "inputTextTokenCount": sent,
        }


def _reason(reason: Json) -> str | None:
    return _REASONS.get(str(reason), str(reason).upper()) if reason else None


FORMAT = Format({"inputText": str}, _read, _body, _Speech, unspoken, joined)
