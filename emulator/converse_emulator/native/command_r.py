"""Cohere Command R: a message and the history before it. Tools are after the documentation, not recorded."""

import json
from collections.abc import Iterator, Mapping

from converse_emulator.language.scenario import Json
from converse_emulator.native.command import finish_reason
from converse_emulator.native.format import UNSPOKEN, Answer, Body, Document, Format, silent
from converse_emulator.native.reading import (
    conversation,
    mappings,
    message,
    text_blocks,
    tool,
    tool_call,
    tool_result,
)
from converse_emulator.native.text_only import content_of
from converse_emulator.scripting import ids
from converse_emulator.scripting.performance import Emit, text_of

_ROLES = {"USER": "user", "CHATBOT": "assistant"}
_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}


def _read(body: Body) -> Body:
    history = [
        message(_ROLES.get(str(each.get("role")), "user"), text_blocks(each.get("message")))
        for each in mappings(body.get("chat_history"))
    ]
    results = [result for each in mappings(body.get("tool_results")) for result in _result(each)]
    calls = [tool_call(*each[:3]) for each in results]
    last = [message("user", text_blocks(body.get("message")))]
    if results:
        given = [
            tool_result(call_id, [{"json": output} for output in outputs])
            for call_id, _, _, outputs in results
        ]
        last += [message("assistant", calls), message("user", given)]
    return conversation(
        [*history, *last],
        system=[block["text"] for block in text_blocks(body.get("preamble"))],
        most=body.get("max_tokens"),
        stops=body.get("stop_sequences"),
        tools=[_tool(each) for each in mappings(body.get("tools"))],
    )


def _result(result: Body) -> Iterator[tuple[str, Json, Json, list[Body]]]:
    """Id, name, arguments and outputs of a call that the user brings the result of."""
    call = result.get("call")
    if isinstance(call, Mapping):
        name = call.get("name")
        yield f"call-{name}", name, call.get("parameters") or {}, list(mappings(result.get("outputs")))


def _tool(offered: Body) -> Body:
    defined = offered.get("parameter_definitions")
    defined = defined if isinstance(defined, Mapping) else {}
    known = {name: each for name, each in defined.items() if isinstance(each, Mapping)}
    schema = {
        "type": "object",
        "properties": {
            name: {"type": _TYPES.get(str(each.get("type")), "string")} for name, each in known.items()
        },
        "required": [name for name, each in known.items() if each.get("required") is True],
    }
    return tool(offered.get("name"), schema, offered.get("description"))


def _body(answer: Answer, said: Body) -> Document:
    blocks = content_of(said)
    text = "".join(block.get("text", "") for block in blocks)
    calls = [_call(block["toolUse"]) for block in blocks if "toolUse" in block]
    return _response(answer, text, calls, said.get("stopReason"))


def _call(call: Mapping[str, Json]) -> Document:
    return {"name": call["name"], "parameters": call["input"]}


def _response(answer: Answer, text: str, calls: list[Document], reason: Json) -> Document:
    history = [dict(each) for each in mappings(answer.native.get("chat_history"))]
    asked = {"role": "USER", "message": str(answer.native.get("message", ""))}
    answered: Document = {"role": "CHATBOT", "message": text}
    with_calls: Document = {"tool_calls": calls} if calls else {}
    return {
        "response_id": f"{ids.request_id(answer.rng)[:8]}/{ids.request_id(answer.rng)}",
        "text": text,
        "generation_id": ids.request_id(answer.rng),
        "chat_history": [*history, asked, answered | with_calls],
        "finish_reason": finish_reason(reason),
        **with_calls,
    }


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._said: list[str] = []
        self._calls: list[tuple[str, list[str]]] = []  # names, and the pieces of their input

    def event(self, emit: Emit) -> Iterator[Document]:
        match emit.type, emit.body:
            case "contentBlockStart", {"start": {"toolUse": {"name": name}}}:
                self._calls.append((name, []))
            case "contentBlockDelta", {"delta": {"toolUse": {"input": piece}}} if self._calls:
                self._calls[-1][1].append(piece)
            case "contentBlockDelta", {"delta": {"text": _}}:
                self._said.append(text_of(emit))
                yield {"is_finished": False, "event_type": "text-generation", "text": text_of(emit)}
            case "metadata", _:
                yield from self._end()

    def _end(self) -> Iterator[Document]:
        calls = [{"name": name, "parameters": _parameters("".join(pieces))} for name, pieces in self._calls]
        if calls:
            yield {"is_finished": False, "event_type": "tool-calls-generation", "tool_calls": calls}
        response = _response(self._answer, "".join(self._said), calls, self._answer.reason)
        yield {
            "is_finished": True,
            "event_type": "stream-end",
            "response": response | {"meta": self._meta()},
            "finish_reason": finish_reason(self._answer.reason),
        }

    def _meta(self) -> Document:
        tokens = {"input_tokens": self._answer.sent, "output_tokens": self._answer.said}
        return {"api_version": {"version": "1"}, "billed_units": tokens, "tokens": dict(tokens)}


def _parameters(text: str) -> Json:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return text


FORMAT = Format({"message": str}, _read, _body, _Speech, silent(*UNSPOKEN))
