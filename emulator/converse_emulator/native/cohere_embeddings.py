"""Cohere's embeddings: version 3, and 4 with dimensions of choice."""

from collections.abc import Callable, Mapping, Sequence

from converse_emulator.language.scenario import Json
from converse_emulator.native.format import Answer, Body, Document, Format
from converse_emulator.native.reading import conversation, message
from converse_emulator.native.vectors import vector
from converse_emulator.scripting import ids

_V3, _V4 = 1024, 1536  # dimensions, unless the request says others


def _packed(values: Sequence[float], offset: int) -> list[int]:
    """Eight signs in a byte."""
    octets = range(0, len(values), 8)
    return [
        sum((value > 0) << 7 - n for n, value in enumerate(values[at : at + 8])) - offset for at in octets
    ]


_KINDS: Mapping[str, Callable[[list[float]], list[float] | list[int]]] = {
    "float": lambda values: values,
    "int8": lambda values: [max(-128, min(127, round(value * 127))) for value in values],
    "uint8": lambda values: [max(0, min(255, round(value * 127) + 128)) for value in values],
    "binary": lambda values: _packed(values, 128),
    "ubinary": lambda values: _packed(values, 0),
}


def _texts(body: Body) -> list[str]:
    given = body.get("texts")
    return [text for text in given if isinstance(text, str)] if isinstance(given, list) else []


def _read(body: Body) -> Body:
    return conversation([message("user", [{"text": text} for text in _texts(body) if text])])


def _body(answer: Answer, said: Body) -> Document:
    del said  # a scenario cannot change what a text means
    version_4 = "embed-v4" in answer.request.model
    wanted = answer.native.get("output_dimension")
    size = wanted if version_4 and type(wanted) is int and 1 <= wanted <= _V4 else _V4 if version_4 else _V3
    texts = _texts(answer.native)
    found = [vector(text, size) for text in texts]
    kinds = answer.native.get("embedding_types")
    embeddings: Json = found
    if isinstance(kinds, list):
        known = [kind for kind in kinds if isinstance(kind, str) and kind in _KINDS]
        embeddings = {kind: [_KINDS[kind](values) for values in found] for kind in known}
    return {
        "embeddings": embeddings,
        "id": ids.request_id(answer.rng),
        "response_type": "embeddings_by_type" if isinstance(kinds, list) else "embeddings_floats",
        "texts": [text.lower() for text in texts],  # recorded so
    }


FORMAT = Format({"input_type": str}, _read, _body, speaks=False)
