"""Amazon Titan embeddings: text v1 and v2, and images with text."""

from collections.abc import Mapping

from converse_emulator.language.scenario import Json
from converse_emulator.models.model_ids import identify
from converse_emulator.native.format import Answer, Body, Document, Format
from converse_emulator.native.reading import conversation, prompt
from converse_emulator.native.vectors import vector

_V1, _V2, _IMAGE = 1536, 1024, 1024  # dimensions, unless the request says others


def _read(body: Body) -> Body:
    return conversation(prompt(body.get("inputText")))


def _body(answer: Answer, message: Body) -> Document:
    del message  # a scenario cannot change what a text means
    native = answer.native
    named = identify(answer.request.model)
    base = named.base if named else ""
    text = str(native.get("inputText", ""))
    if "embed-image" in base:
        text += str(native.get("inputImage", ""))
        config = native.get("embeddingConfig")
        wanted = config.get("outputEmbeddingLength") if isinstance(config, Mapping) else None
        return {"embedding": vector(text, _size(wanted, _IMAGE)), **_count(answer), "message": None}
    if "text-v1" in base or base.endswith("g1-text-02"):
        return {"embedding": vector(text, _V1, normalized=False), **_count(answer)}
    normalized = native.get("normalize") is not False
    return _v2(answer, vector(text, _size(native.get("dimensions"), _V2), normalized=normalized))


def _v2(answer: Answer, found: list[float]) -> Document:
    """Both members that version 2 has; of the kinds of numbers those that the request asks for."""
    asked = answer.native.get("embeddingTypes")
    kinds = asked if isinstance(asked, list) else ["float"]
    forms = {"float": found, "binary": [int(value > 0) for value in found]}
    by_type = {kind: forms[kind] for kind in ("binary", "float") if kind in kinds}
    floats = {"embedding": found} if "float" in kinds else {}
    return {**floats, "embeddingsByType": by_type, **_count(answer)}


def _size(wanted: Json, usual: int) -> int:
    return wanted if type(wanted) is int and 1 <= wanted <= usual else usual


def _count(answer: Answer) -> Document:
    return {"inputTextTokenCount": answer.sent}


FORMAT = Format({}, _read, _body, speaks=False)
