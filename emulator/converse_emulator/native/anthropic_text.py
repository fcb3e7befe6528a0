"""Anthropic's text completions, the older format: a prompt with `Human:` and `Assistant:` in it."""

from collections.abc import Iterator

from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Answer, Body, Document, Format, unspoken
from converse_emulator.native.reading import conversation, prompt
from converse_emulator.native.text_only import text_delta, text_of_answer
from converse_emulator.scripting.performance import Emit

NAME = "Claude's text completions"
_HUMAN = "\n\nHuman:"  # where the model stops by itself


def _read(body: Body) -> Body:
    return conversation(
        prompt(body.get("prompt")), most=body.get("max_tokens_to_sample"), stops=body.get("stop_sequences")
    )


def _body(answer: Answer, message: Body) -> Document:
    text = text_of_answer(message, NAME)
    return {"type": "completion", **_completion(text, message.get("stopReason"), answer.stop_sequence)}


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def event(self, emit: Emit) -> Iterator[Document]:
        text = text_delta(emit, NAME)
        if text is not None:
            yield {"type": "completion", **_completion(text)}
        elif emit.type == "metadata":
            end = _completion("", self._answer.reason, self._answer.stop_sequence)
            yield {"type": "completion", **end}


def _completion(text: str, reason: Json = None, sequence: str | None = None) -> Document:
    """A model that ends by itself has come to the human's turn (recorded)."""
    stop = reason and ("max_tokens" if reason == "max_tokens" else "stop_sequence")
    at = (sequence or _HUMAN) if stop == "stop_sequence" else None
    return {"completion": text, "stop_reason": stop, "stop": at}


FORMAT = Format({"prompt": str, "max_tokens_to_sample": int}, _read, _body, _Speech, unspoken)
