"""DeepSeek's text completion: a prompt, and its continuation; reasoning is text up to `</think>`.

After the documentation and the other text formats; nobody recorded its chunks.
"""

from collections.abc import Iterator

from converse_emulator.native.format import Answer, Body, Document, Format, unspoken
from converse_emulator.native.mistral import join_outputs, stop_reason
from converse_emulator.native.reading import conversation, prompt
from converse_emulator.native.text_only import content_of, reasoning_delta, text_delta, text_of_answer
from converse_emulator.scripting.performance import Emit

NAME = "DeepSeek's text completion"
_THOUGHT = "\n</think>\n\n"  # ends the reasoning


def _read(body: Body) -> Body:
    return conversation(prompt(body.get("prompt")), most=body.get("max_tokens"), stops=body.get("stop"))


def _body(answer: Answer, message: Body) -> Document:
    del answer
    thoughts = [block["reasoningContent"] for block in content_of(message) if "reasoningContent" in block]
    thought = "".join(each.get("reasoningText", {}).get("text", "") + _THOUGHT for each in thoughts)
    text = text_of_answer(message, NAME, reasons=True)
    return _choice(thought + text, stop_reason(message.get("stopReason")))


class _Speech:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._thinking = False

    def event(self, emit: Emit) -> Iterator[Document]:
        thought = reasoning_delta(emit)
        text = text_delta(emit, NAME, reasons=True)
        if thought is not None:
            self._thinking = True
            yield _choice(thought)
        elif text is not None:
            if self._thinking:
                self._thinking, text = False, _THOUGHT + text
            yield _choice(text)
        elif emit.type == "metadata":
            yield _choice("", stop_reason(self._answer.reason))


def _choice(text: str, reason: str | None = None) -> Document:
    return {"choices": [{"text": text, "stop_reason": reason}]}


FORMAT = Format({"prompt": str}, _read, _body, _Speech, unspoken, join_outputs("choices"))
