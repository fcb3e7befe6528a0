"""Amazon Nova (`messages-v1`): Converse's own words, but for the order of the keys and the count of blocks.

Every text delta is a content block of its own, which ends at once; after a tool call one index is left out
(both recorded).
"""

from collections.abc import Iterator, Mapping

from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Answer, Body, Document, Format, silent
from converse_emulator.native.text_only import content_of
from converse_emulator.scripting.performance import Emit


def _read(body: Body) -> Body:
    config = body.get("inferenceConfig")
    config = config if isinstance(config, Mapping) else {}
    most = config.get("maxTokens", config.get("max_new_tokens"))
    inference = {
        "maxTokens": most if type(most) is int and most > 0 else None,
        "stopSequences": config.get("stopSequences"),
    }
    known = {name: body[name] for name in ("messages", "system", "toolConfig") if name in body}
    return {**known, "inferenceConfig": {name: value for name, value in inference.items() if value}}


def _body(answer: Answer, message: Body) -> Document:
    usage = {
        "inputTokens": answer.sent,
        "outputTokens": answer.said,
        "totalTokens": answer.usage.get("totalTokens", answer.sent + answer.said),
        **_cached(answer),
    }
    said = {"content": [_block(block) for block in content_of(message)], "role": "assistant"}
    return {"output": {"message": said}, "stopReason": message.get("stopReason"), "usage": usage}


def _block(block: Mapping[str, Json]) -> Mapping[str, Json]:
    call = block.get("toolUse")
    if not isinstance(call, Mapping):
        return block
    return {"toolUse": {name: call[name] for name in ("name", "toolUseId", "input")}}


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._index = 0
        self._calling = False  # the open block is one that began with an event

    def event(self, emit: Emit) -> Iterator[Document]:
        match emit.type, emit.body:
            case "messageStart", body:
                yield {"messageStart": {"role": body["role"]}}
            case "contentBlockStart", {"start": dict(start)}:
                self._calling = True
                yield self._at("contentBlockStart", start=_start(start))
            case "contentBlockDelta", {"delta": {"text": ""}}:
                pass
            case "contentBlockDelta", {"delta": delta}:
                yield self._at("contentBlockDelta", delta=delta)
                if not self._calling:
                    yield self._stop(1)
            case "contentBlockStop", _ if self._calling:
                self._calling = False
                yield self._stop(2)
            case "messageStop", body:
                yield {"messageStop": {"stopReason": body["stopReason"]}}
            case "metadata", _:
                usage = {"inputTokens": self._answer.sent, "outputTokens": self._answer.said}
                usage |= _cached(self._answer)
                yield {"metadata": {"usage": usage, "metrics": {}, "trace": {}}}

    def _at(self, event: str, **members: Json) -> Document:
        return {event: {**members, "contentBlockIndex": self._index}}

    def _stop(self, step: int) -> Document:
        stop = self._at("contentBlockStop")
        self._index += step
        return stop


def _start(start: Mapping[str, Json]) -> Mapping[str, Json]:
    call = start.get("toolUse")
    if not isinstance(call, Mapping):
        return start
    return {"toolUse": {name: call[name] for name in ("toolUseId", "name", "type") if name in call}}


def _cached(answer: Answer) -> Document:
    return {
        f"cache{kind}InputTokenCount": answer.usage.get(f"cache{kind}InputTokens", 0)
        for kind in ("Read", "Write")
    }


FORMAT = Format(
    {"messages": list}, _read, _body, _Speech, silent("contentBlockStop"), caches=True, converse=True
)
