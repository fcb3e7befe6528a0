"""An act of a journal as the step of the language that performs it; the other way round of `script`."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from converse_emulator.framing.eventstream import Decoder, FrameError, Message
from converse_emulator.http.refusals import REFUSALS
from converse_emulator.language.scenario import Json
from converse_emulator.shapes import service

WHOLE = ("Converse", "InvokeModel")  # answered with one body
EVENT_STREAM = "application/vnd.amazon.eventstream"
# Headers that a response has by itself.
HEAD = frozenset({"date", "content-type", "content-length", "transfer-encoding", "connection"})
OWN = frozenset({"x-amzn-requestid", "x-amzn-errortype", "x-amzn-bedrock-content-type"})
COUNTED = "x-amzn-bedrock-"  # and how those begin that InvokeModel counts in

Act = Mapping[str, Json]  # as `playing.told` has it


class CannotSay(ValueError):
    """The language has no step for it; the text says for what."""


def refusal(acts: Sequence[Act]) -> Json | None:
    """The refusal with this error type and text; other texts than the service's own are said.

    None for an error that is not the service's.
    """
    head = next(act["head"] for act in acts if "head" in act)
    headers = {name.lower(): value for name, value in head["headers"]}
    code, _, namespace = headers.get("x-amzn-errortype", "").partition(":")
    told: Json = {}
    with suppress(ValueError):
        told = json.loads(b"".join(b64decode(act["send"]["data"]) for act in acts if "send" in act))
    alike = [
        name
        for name, each in REFUSALS.items()
        if each.code == code and f"/{each.namespace}/" in namespace and each.key in told
    ]
    if not alike or any(not {"head", "send", "finish"} >= act.keys() for act in acts):
        return None
    message = told[REFUSALS[alike[0]].key]
    name = next((name for name in alike if REFUSALS[name].text == message), alike[0])
    says: dict[str, Json] = {}
    if REFUSALS[name].text != message:
        says["message"] = message
    if REFUSALS[name].status != head["status"]:
        says["status"] = head["status"]
    if more := _further(head):
        says["headers"] = more
    return {"refuse": {"name": name, **says} if says else name}


def step_of_act(operation: str, act: Act, *, literally: bool) -> Iterator[Json]:
    """The steps of one act; with `literally` frames stay bytes. Raises `CannotSay`."""
    ((name, said),) = act.items()
    match name:
        case "head":
            yield from _head(operation, said)
        case "send":
            yield from _frames(operation, b64decode(said["data"]), literally)
        case "torn":
            ((torn, whole),) = said["act"].items()
            if torn == "head":
                yield {"tear": {"head": said["at"]}}
            else:
                yield {"tear": said["at"]}
                yield from _frames(operation, b64decode(whole["data"]), literally)
        case "raw":
            yield {"raw": _literal(b64decode(said["data"]))["bytes"]}
        case "go_away":
            yield {"go_away": said["code"]}
        case "hold":
            yield _trickle(said) if said["act"] else {"wait": "forever"}
        case "finish":
            yield from () if operation in WHOLE else ("finish",)
        case "hangup":
            yield {"hangup": "connection"} if said["connection"] else "hangup"
        case "reset":
            yield {"reset": "connection" if said["connection"] else said["code"]}


def unpadded(sent: Iterable[bytes]) -> list[Json]:
    """For each send its frames without padding; what is no whole frame, as bytes."""
    told: list[Json] = []
    for data in filter(None, sent):
        decoder, messages = Decoder(), list[Message]()
        with suppress(FrameError):
            messages = list(decoder.messages(data))
        whole = messages and not decoder.pending
        told.append([(each.headers, _unpadded(each.payload)) for each in messages] if whole else data)
    return told


def _unpadded(payload: bytes) -> Json:
    with suppress(ValueError):
        value = json.loads(payload)
        if isinstance(value, dict):
            value.pop("p", None)
            return value
    return payload


def _head(operation: str, head: Act) -> Iterator[Json]:
    """Nothing for the usual one."""
    if head["status"] < 200:
        yield {"interim": head["status"]}
        return
    headers = {name.lower(): value for name, value in head["headers"]}
    usual = "application/json" if operation in WHOLE else EVENT_STREAM
    says: dict[str, Json] = {} if head["status"] == 200 else {"status": head["status"]}
    further = _further(head)
    if (kind := headers.get("content-type", usual)) != usual:
        further["Content-Type"] = kind
    if further:
        says["headers"] = further
    if operation not in WHOLE and "content-length" in headers:
        says["length"] = int(headers["content-length"])
    if says:
        yield {"head": says}


def _further(head: Act) -> dict[str, str]:
    """The headers that somebody asked for."""
    return {
        name: value
        for name, value in head["headers"]
        if name.lower() not in HEAD | OWN and not name.lower().startswith(COUNTED)
    }


def _trickle(hold: Act) -> Json:
    """What came again and again."""
    ((name, said),) = hold["act"].items()
    kind = "interim"
    if name == "send":
        kind = "byte"
        with suppress(FrameError, StopIteration):
            first = next(Decoder().messages(b64decode(said["data"])))
            kind = "text" if first.header(":event-type") == "contentBlockDelta" else "event"
    return {"trickle": {"send": kind, "every": hold["every"]}}


def _frames(operation: str, data: bytes, literally: bool) -> list[Json]:
    """The steps that send these bytes."""
    if not data:
        return []
    if operation in WHOLE or (literally and operation == "ConverseStream"):
        return [_literal(data)]
    decoder = Decoder()
    try:
        steps = [_step(message) for message in decoder.messages(data)]
    except FrameError as error:
        raise CannotSay(f"{operation} has steps for whole frames only: {error}") from error
    if decoder.pending:
        raise CannotSay(f"{operation} has steps for whole frames only, and a part of one was sent")
    return steps


def _step(message: Message) -> Json:
    """The step that makes a frame."""
    kind = message.header(":message-type")
    name = str(message.header(":event-type") or message.header(":exception-type"))
    payload = _unpadded(message.payload)
    if kind == "error":
        code, text = message.header(":error-code"), message.header(":error-message")
        return {"throw": {"error": code, "message": text}}
    if not isinstance(payload, dict):
        raise CannotSay(f"the payload of {name} is no JSON object")
    if kind == "exception" and payload.keys() == {"message"}:
        return {"throw": {"exception": name, "message": payload["message"]}}
    if name == "chunk" and payload.keys() == {"bytes"}:
        return _literal(b64decode(payload["bytes"]))
    if name in service.event_types() and not service.event_violations(name, payload):
        return {"event": {name: payload}}
    raise CannotSay(f"{name} is no event of the service model")


def _literal(data: bytes) -> Json:
    """Bytes, as text where they are."""
    with suppress(UnicodeDecodeError):
        return {"bytes": data.decode()}
    return {"bytes": {"base64": b64encode(data).decode()}}
