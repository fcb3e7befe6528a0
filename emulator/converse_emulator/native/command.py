"""Cohere Command, the older format: a prompt, and one or more continuations.

A streaming request gets its answer in one chunk unless its body says `"stream": true` (recorded).
"""

from collections.abc import Iterator

from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Answer, Body, Document, Format, unspoken
from converse_emulator.native.reading import conversation, prompt
from converse_emulator.native.text_only import text_delta, text_of_answer
from converse_emulator.scripting import ids
from converse_emulator.scripting.performance import Emit

NAME = "Cohere Command"
# MAX_TOKENS was recorded and COMPLETE too, of Command R; the other is of the documentation.
_REASONS = {"max_tokens": "MAX_TOKENS", "content_filtered": "ERROR_TOXIC"}


def _read(body: Body) -> Body:
    return conversation(
        prompt(body.get("prompt")), most=body.get("max_tokens"), stops=body.get("stop_sequences")
    )


def _body(answer: Answer, message: Body) -> Document:
    return _whole(answer, text_of_answer(message, NAME), message.get("stopReason"))


def _whole(answer: Answer, text: str, reason: Json) -> Document:
    generations = [
        {"id": ids.request_id(answer.rng), "text": text, "finish_reason": finish_reason(reason)}
        for _ in range(_wanted(answer))
    ]
    call_id = ids.request_id(answer.rng)
    return {"id": call_id, "generations": generations, "prompt": str(answer.native.get("prompt", ""))}


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._streams = answer.native.get("stream") is True
        self._said: list[str] = []

    def event(self, emit: Emit) -> Iterator[Document]:
        text = text_delta(emit, NAME)
        if text is not None:
            self._said.append(text)
            if self._streams:
                yield self._chunk(text)
        elif emit.type == "metadata":
            reason = self._answer.reason
            if self._streams:
                yield {"finish_reason": finish_reason(reason), "is_finished": True}
            else:
                yield _whole(self._answer, "".join(self._said), reason)

    def _chunk(self, text: str) -> Document:
        """With several continuations each chunk tells which one it is of; here all is of the first."""
        chunk: Document = {"is_finished": False, "text": text}
        return {"index": 0, **chunk} if _wanted(self._answer) > 1 else chunk


def _wanted(answer: Answer) -> int:
    wanted = answer.native.get("num_generations")
    return wanted if type(wanted) is int and 1 <= wanted <= 5 else 1


def finish_reason(reason: Json) -> str | None:
    """Why Cohere's models end."""
    return _REASONS.get(str(reason), "COMPLETE") if reason else None


FORMAT = Format({"prompt": str}, _read, _body, _Speech, unspoken)
