"""The operations in which a model says something: one row each.

A row tells how a reply of a scenario is spelt and, where a request comes in the model's own format, how it
is read. Another such operation is another row. What is answered from the request alone is in `side_calls`.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from random import Random
from typing import NamedTuple

from converse_emulator.choosing.request import Request
from converse_emulator.language.scenario import Json
from converse_emulator.playing.acts import Beat
from converse_emulator.scripting.performance import Emit, Performance
from converse_emulator.spelling.delivery import Delivery

Body = Mapping[str, Json]
Silent = Callable[[Emit], bool]


class Generation(NamedTuple):
    """How an operation asks and is answered."""

    beats: Callable[[Performance, Request, Delivery, Random], Iterator[Beat]]
    # Of the model's id, headers and body: the body as Converse would have it.
    read: Callable[[str, Mapping[str, str], Body], Body] | None = None
    silent: Callable[[Request], Silent | None] | None = None  # tells the events that make no frame


def _converse() -> Generation:
    from converse_emulator.spelling import blocking

    return Generation(blocking.converse)


def _converse_stream() -> Generation:
    from converse_emulator.spelling import streaming

    return Generation(streaming.converse_stream)


def _invoke_model() -> Generation:
    from converse_emulator import native

    return Generation(native.invoke_model, native.read)


def _invoke_model_with_response_stream() -> Generation:
    from converse_emulator import native

    return Generation(native.invoke_model_with_response_stream, native.read, native.silent)


# What makes each row, when it is first asked for: few runs need them all, and the native formats take 20 ms.
GENERATIONS: Mapping[str, Callable[[], Generation]] = {
    "Converse": _converse,
    "ConverseStream": _converse_stream,
    "InvokeModel": _invoke_model,
    "InvokeModelWithResponseStream": _invoke_model_with_response_stream,
}


@cache
def generation(operation: str) -> Generation:
    """The row of one of `GENERATIONS`."""
    return GENERATIONS[operation]()


def read(operation: str, model: str, headers: Mapping[str, str], body: Body) -> tuple[Body, Body | None]:
    """A request's body as Converse would have it and, where it came in the model's own format, as it came."""
    read = generation(operation).read if operation in GENERATIONS else None
    return (body, None) if read is None else (read(model, headers, body), body)
