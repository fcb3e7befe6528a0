"""The text in what was sent, as far as a client can read it: of events, of native chunks, of whole bodies."""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import suppress

from converse_emulator.framing.eventstream import Decoder, FrameError, Message
from converse_emulator.language.scenario import Json


def text_of(operation: str, sent: Iterable[bytes]) -> str:
    """The text in the bytes of an operation's response."""
    if "Bidirectional" in operation:
        return text_of_dialogue(sent)
    return (text_of_stream if "Stream" in operation else text_of_answer)(sent)


def text_of_stream(sent: Iterable[bytes]) -> str:
    """The text of the frames that are whole and good."""
    return "".join(text for message in _readable(sent) for text in _texts(_document(message)))


def text_of_dialogue(sent: Iterable[bytes]) -> str:
    """What a model that speaks was about to say, as it told before it spoke."""
    planned: set[str] = set()
    texts: list[str] = []
    for message in _readable(sent):
        match _document(message):
            case {"event": {"contentStart": {"contentId": str(number), "additionalModelFields": str(stage)}}}:
                if "SPECULATIVE" in stage:
                    planned.add(number)
            case {"event": {"textOutput": {"contentId": str(number), "content": str(text)}}}:
                if number in planned:
                    texts.append(text)
    return "".join(texts)


def text_of_answer(sent: Iterable[bytes]) -> str:
    """The text of a whole body; empty for an error or a part."""
    return "".join(_texts(_json(b"".join(sent))))


def _readable(sent: Iterable[bytes]) -> Iterator[Message]:
    decoder = Decoder()
    with suppress(FrameError):  # what comes after a bad frame no client can read
        for data in sent:
            yield from decoder.messages(data)


def _document(message: Message) -> Json:
    payload = _json(message.payload)
    match message.header(":event-type"), payload:
        case "contentBlockDelta", _:
            return payload
        case "chunk", {"bytes": str(inner)}:
            return _json(b64decode(inner))
        case _:
            return None


def _texts(document: Json) -> Iterator[str]:
    """The text in an event, a chunk or a body, whichever family it is of."""
    match document:
        case {"delta": {"text": str(text)}} | {"contentBlockDelta": {"delta": {"text": str(text)}}}:
            yield text
        case {"output": {"message": {"content": [*blocks]}}} | {"content": [*blocks], "role": _}:
            yield from (text for block in blocks for text in _texts(block))
        case {"citationsContent": {"content": [*parts]}}:
            yield from (text for part in parts for text in _texts(part))
        case (
            {"outputs": [*parts]} | {"results": [*parts]} | {"generations": [*parts]} | {"choices": [*parts]}
        ):
            yield from (text for part in parts for text in _texts(part))
        case {"message": {"content": str(text)}} | {"delta": {"content": str(text)}}:
            yield text
        case {"outputText": str(text)} | {"generation": str(text)} | {"completion": str(text)}:
            yield text
        case {"text": str(text)}:
            yield text


def _json(raw: bytes) -> Json:
    try:
        return json.loads(raw)
    except ValueError:
        return None
