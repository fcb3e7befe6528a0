"""Mistral's text completion: a prompt, and its continuation."""

from collections.abc import Iterator

from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Answer, Body, Document, Format, Join, unspoken
from converse_emulator.native.reading import conversation, prompt
from converse_emulator.native.text_only import text_delta, text_of_answer
from converse_emulator.scripting.performance import Emit

NAME = "Mistral's text completion"


def _read(body: Body) -> Body:
    return conversation(prompt(body.get("prompt")), most=body.get("max_tokens"), stops=body.get("stop"))


def _body(answer: Answer, message: Body) -> Document:
    del answer
    return _output(text_of_answer(message, NAME), stop_reason(message.get("stopReason")))


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def event(self, emit: Emit) -> Iterator[Document]:
        text = text_delta(emit, NAME)
        if text is not None:
            yield _output(text)
        elif emit.type == "metadata":
            yield _output("", stop_reason(self._answer.reason))


def _output(text: str, reason: str | None = None) -> Document:
    return {"outputs": [{"text": text, "stop_reason": reason}]}


def stop_reason(reason: Json) -> str | None:
    """`length` was recorded, `stop` is of the documentation."""
    if not reason:
        return None
    return {"max_tokens": "length", "tool_use": "tool_calls"}.get(str(reason), "stop")


def join_outputs(member: str) -> Join:
    """Joins chunks with one output in a list: only one that is cut has its reason beside its last text."""

    def join(previous: Document, final: Document) -> Document | None:
        (last,), (end,) = previous[member], final[member]
        if last["text"] and end["stop_reason"] != "length":
            return None
        return {**previous, **final, member: [{**last, "stop_reason": end["stop_reason"]}]}

    return join


FORMAT = Format({"prompt": str}, _read, _body, _Speech, unspoken, join_outputs("outputs"))
