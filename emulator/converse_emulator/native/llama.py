"""Meta Llama: a prompt with the model's own marks in it, and its continuation."""

from collections.abc import Iterator

from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Answer, Body, Document, Format, joined, unspoken
from converse_emulator.native.reading import conversation, prompt
from converse_emulator.native.text_only import text_delta, text_of_answer
from converse_emulator.scripting.performance import Emit

NAME = "Llama"


def _read(body: Body) -> Body:
    return conversation(prompt(body.get("prompt")), most=body.get("max_gen_len"))


def _body(answer: Answer, message: Body) -> Document:
    return {
        "generation": text_of_answer(message, NAME),
        "prompt_token_count": answer.sent,
        "generation_token_count": answer.said,
        "stop_reason": _reason(message.get("stopReason")),
    }


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._sent: int | None = answer.sent  # told once
        self._said = 0

    def event(self, emit: Emit) -> Iterator[Document]:
        text = text_delta(emit, NAME)
        if text is not None:
            self._said += emit.tokens
            yield self._chunk(text, self._said)
        elif emit.type == "metadata":
            yield self._chunk("", self._answer.said, _reason(self._answer.reason))

    def _chunk(self, text: str, said: int, reason: str | None = None) -> Document:
        sent, self._sent = self._sent, None
        return {
            "generation": text,
            "prompt_token_count": sent,
            "generation_token_count": said,
            "stop_reason": reason,
        }


def _reason(reason: Json) -> str | None:
    """`length` was recorded; that all other ends are `stop` is of the documentation."""
    if not reason:
        return None
    return "length" if reason == "max_tokens" else "stop"


def _join(previous: Document, final: Document) -> Document | None:
    """An answer that the model itself ends has a chunk without text for that; one that is cut has not."""
    apart = previous["generation"] and final["stop_reason"] != "length"
    return None if apart else joined(previous, final)


FORMAT = Format({"prompt": str}, _read, _body, _Speech, unspoken, _join)
