"""Chat completions as OpenAI's models on Bedrock have them: keys sorted, padded by `obfuscation`.

The open models (gpt-oss) put their reasoning into the text, `<reasoning>…</reasoning>`, whole, and pad each
choice as well as the chunk; the others pad the chunk only and have more members that are null.
Tool calls in chunks are inferred, and so is that other families are alike.
"""

import string
from collections.abc import Iterator

from converse_emulator.framing.frames import PADDING, draw_padding
from converse_emulator.language.scenario import Json
from converse_emulator.models.model_ids import family
from converse_emulator.native.chat_content import Calls, contents
from converse_emulator.native.chat_reading import read_chat
from converse_emulator.native.format import Answer, Body, Document, Format, silent
from converse_emulator.scripting import ids
from converse_emulator.scripting.performance import Emit

_REASONS = {"max_tokens": "length", "tool_use": "tool_calls", "content_filtered": "content_filter"}
_BASE62 = string.ascii_letters + string.digits


def _body(answer: Answer, message: Body) -> Document:
    said = contents(message)
    calls = [
        {"function": {"arguments": given, "name": name}, "id": call_id, "type": "function"}
        for name, call_id, given in said.calls
    ]
    spoken = {
        **({} if _open(answer) else {"annotations": []}),
        "content": _reasoned(said.reasoning) + said.text or None,
        "refusal": None,
        "role": "assistant",
        **({"tool_calls": calls} if calls else {}),
    }
    choice = {"finish_reason": _reason(message.get("stopReason")), "index": 0, "message": spoken}
    return {
        "choices": [choice],
        **_identity(answer, ids.chat_id(answer.rng), "chat.completion"),
        **_usage(answer),
    }


def _usage(answer: Answer) -> Document:
    usage = {
        "completion_tokens": answer.said,
        "prompt_tokens": answer.sent,
        "total_tokens": answer.sent + answer.said,
    }
    return {"usage": usage} if _open(answer) else {"usage": usage, "system_fingerprint": None}


def _identity(answer: Answer, chat_id: str, kind: str) -> Document:
    return {
        "created": answer.created,
        "id": chat_id,
        "model": answer.request.model_id,
        "object": kind,
        "service_tier": "default",
    }


def _open(answer: Answer) -> bool:
    """Whether the model is an open one."""
    return family(answer.request.model) != "gpt"


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._id = ids.chat_id(answer.rng)
        self._calls = Calls()
        self._thought: list[str] = []

    def event(self, emit: Emit) -> Iterator[Document]:
        match emit.type, emit.body:
            case "messageStart", _:
                refusal = {} if _open(self._answer) else {"refusal": None}
                yield self._chunk({"content": "", "role": "assistant", **refusal})
            case "contentBlockDelta", {"delta": {"reasoningContent": {"text": text}}}:
                self._thought.append(text)
            case "contentBlockStop", _ if self._thought:
                yield self._chunk({"content": _reasoned("".join(self._thought))})
                self._thought.clear()
            case "contentBlockDelta", {"delta": {"text": text}} if text:
                yield self._chunk({"content": text})
            case "contentBlockStart", {"start": {"toolUse": call}}:
                yield self._chunk({"tool_calls": [self._calls.start(call)]})
            case "contentBlockDelta", {"delta": {"toolUse": {"input": piece}}} if piece:
                yield self._chunk({"tool_calls": [self._calls.piece(piece)]})
            case "metadata", _:
                yield self._chunk({}, _reason(self._answer.reason))

    def _chunk(self, delta: Document, reason: str | None = None) -> Document:
        choice: Document = {"delta": delta, "finish_reason": reason, "index": 0}
        identity = _identity(self._answer, self._id, "chat.completion.chunk")
        if not _open(self._answer):
            padding = PADDING[: draw_padding(self._answer.rng)]
            empty = {"system_fingerprint": None, "usage": None}
            return {"choices": [choice], **identity, **empty, "obfuscation": padding}
        padded = {**choice, "obfuscation": self._noise()}
        return dict(sorted({"choices": [padded], **identity, "obfuscation": self._noise()}.items()))

    def _noise(self) -> str:
        """Padding of chance; 32 to 80 characters were seen."""
        rng = self._answer.rng
        return "".join(rng.choices(_BASE62, k=rng.randint(32, 80)))


def _reasoned(thought: str) -> str:
    return f"<reasoning>{thought}</reasoning>" if thought else ""


def _reason(reason: Json) -> str | None:
    return _REASONS.get(str(reason), "stop") if reason else None


FORMAT = Format({"messages": list}, read_chat, _body, _Speech, silent("contentBlockStop", "messageStop"))
