"""The operations in which a model says something: one row each.

A row tells how a reply of a scenario is spelt and, where a request comes in the model's own format, how it
is read. Another such operation is another row. What is answered from the request alone is in `side_calls`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from converse_emulator import native
from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Json
from converse_emulator.playing.acts import Beat
from converse_emulator.scripting.performance import Emit, Performance
from converse_emulator.spelling import blocking, streaming
from converse_emulator.spelling.delivery import Delivery

Body = Mapping[str, Json]
Silent = Callable[[Emit], bool]


@dataclass(frozen=True, slots=True)
class Generation:
    """How an operation asks and is answered."""

    beats: Callable[[Performance, Request, Delivery, Random], Iterator[Beat]]
    # Of the model's id, headers and body: the body as Converse would have it.
    read: Callable[[str, Mapping[str, str], Body], Body] | None = None
    silent: Callable[[Request], Silent | None] | None = None  # tells the events that make no frame


GENERATIONS: Mapping[str, Generation] = {
    "Converse": Generation(blocking.converse),
    "ConverseStream": Generation(streaming.converse_stream),
    "InvokeModel": Generation(native.invoke_model, native.read),
    "InvokeModelWithResponseStream": Generation(
        native.invoke_model_with_response_stream, native.read, native.silent
    ),
}


def read(operation: str, model: str, headers: Mapping[str, str], body: Body) -> tuple[Body, Body | None]:
    """A request's body as Converse would have it and, where it came in the model's own format, as it came."""
    row = GENERATIONS.get(operation)
    return (body, None) if row is None or row.read is None else (row.read(model, headers, body), body)
