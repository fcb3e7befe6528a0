"""Mistral's chat completion (after the documentation; nobody recorded it over InvokeModel)."""

from collections.abc import Iterator

from converse_emulator.language.scenario import Json
from converse_emulator.native.chat_content import contents
from converse_emulator.native.chat_reading import read_chat
from converse_emulator.native.format import Answer, Body, Document, Format, silent
from converse_emulator.native.mistral import stop_reason
from converse_emulator.scripting.performance import Emit


def _body(answer: Answer, message: Body) -> Document:
    del answer
    said = contents(message)
    calls = [_call(call_id, name, given) for name, call_id, given in said.calls]
    return _choice(said.text, stop_reason(message.get("stopReason")), calls)


def _call(call_id: str, name: str, given: str) -> Document:
    return {"id": call_id, "function": {"name": name, "arguments": given}}


class _Speech:
    """A call comes whole, when it has ended."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._call: Document | None = None

    def event(self, emit: Emit) -> Iterator[Document]:
        match emit.type, emit.body:
            case "contentBlockStart", {"start": {"toolUse": call}}:
                self._call = _call(call["toolUseId"], call["name"], "")
            case "contentBlockDelta", {"delta": {"toolUse": {"input": piece}}} if self._call:
                self._call["function"]["arguments"] += piece
            case "contentBlockStop", _ if self._call:
                yield _choice("", None, [self._call])
                self._call = None
            case "contentBlockDelta", {"delta": {"text": text}} if text:
                yield _choice(text)
            case "metadata", _:
                yield _choice("", stop_reason(self._answer.reason))


def _choice(text: str, reason: str | None = None, calls: list[Document] | None = None) -> Document:
    message: dict[str, Json] = {"role": "assistant", "content": text}
    said = message | ({"tool_calls": calls} if calls else {})
    return {"choices": [{"index": 0, "message": said, "stop_reason": reason}]}


FORMAT = Format(
    {"messages": list},
    read_chat,
    _body,
    _Speech,
    silent("messageStart", "contentBlockStart", "contentBlockStop", "messageStop"),
)
