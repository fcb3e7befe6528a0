"""From the journal of a run back to a scenario that plays it again: the same frames at the same moments.

Frames become `event` and `throw` steps, so that a person can read and change them; what is no frame of the
service model stays bytes. New are what each response has of its own: request ids, dates, padding.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from converse_emulator.errors import EmulatorError
from converse_emulator.framing.eventstream import Decoder, FrameError, Message
from converse_emulator.http.refusals import REFUSALS
from converse_emulator.language.scenario import Json
from converse_emulator.shapes import service

SHORTEST_WAIT = 0.0005  # seconds; less is the noise of a machine
WHOLE = ("Converse", "InvokeModel")  # answered with one body
ENDS = {"finished": "finish", "hung up": "hangup", "reset": "reset"}
REPLAYED = ("head", "send", "gate", "hold", "finish", "hang up", "reset")  # acts, as they are told
STAY = {"wait": "forever"}  # where the client left, nobody knows what would have come

Exchange = Mapping[str, Json]  # as `GET /_emulator/journal?data=1` has it


class CannotReplay(EmulatorError):
    """A journal that no scenario can be made of."""


def session_of(exchanges: Sequence[Exchange], session: str | None) -> list[Exchange]:
    """The exchanges of the session, which may only be left out where there is one."""
    known = sorted({str(each["session"]) for each in exchanges})
    if session is None and len(known) > 1:
        raise CannotReplay(f"the journal has {len(known)} sessions; name one of: {', '.join(known)}")
    if session is not None and session not in known:
        raise CannotReplay(f"the journal has no session {session!r}; it has: {', '.join(known) or 'none'}")
    return [each for each in exchanges if session in (None, each["session"])]


def scenario_of(exchanges: Sequence[Exchange]) -> dict[str, Json]:
    """The scenario, as a file has it; a reply for each exchange that was answered."""
    replies = [reply_of(each) for each in exchanges if each["acts"]]
    if not replies:
        raise CannotReplay("the journal has no exchange in which something was sent")
    run = f"session {exchanges[0]['session']!r}, {len(replies)} request{'s' if len(replies) > 1 else ''}"
    return {
        "title": f"Plays a recorded run again ({run}).",
        "handlers": "Does what it did then, or what it was mended to do.",
        "replies": replies,
    }


def reply_of(exchange: Exchange) -> list[Json]:
    """The steps that send what the exchange sent."""
    acts: Sequence[Exchange] = exchange["acts"]
    for act in acts:
        if not str(act["what"]).startswith(REPLAYED) or "torn" in act["what"]:
            raise CannotReplay(f"{act['what']!r} has no replay; see the scenario {exchange['scenario']!r}")
        if act["bytes"] and act.get("data") is None:
            raise CannotReplay("the journal lacks what was sent; `journal --json` has it")
    status, headers = _head(acts, exchange["status"])
    if status >= 400:
        return [*_wait(acts, exchange), _refusal(status, headers, b"".join(_sent(acts)))]
    steps = list(_steps(exchange, acts))
    ended = exchange["ended"]
    thrown = bool(steps) and "throw" in steps[-1]
    whole = ended == "finished" and exchange["operation"] in WHOLE
    if thrown or whole:
        return steps
    return [*steps, ENDS.get(str(ended), STAY)]


def _head(acts: Sequence[Exchange], status: Json) -> tuple[int, Mapping[str, str]]:
    headers: Mapping[str, str] = next((act["headers"] for act in acts if act.get("headers") is not None), {})
    return int(status or 0), {name.lower(): value for name, value in headers.items()}


def _sent(acts: Sequence[Exchange]) -> Iterator[bytes]:
    return (b64decode(act["data"]) for act in acts if act.get("data") is not None)


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> Json:
    """The refusal with this error type and text; other texts than the service's own are said."""
    code = headers.get("x-amzn-errortype", "").partition(":")[0]
    told: Json = {}
    with suppress(ValueError):
        told = json.loads(body)
    message = told.get("message", told.get("Message")) if isinstance(told, dict) else None
    alike = [name for name, each in REFUSALS.items() if each.code == code]
    if not alike:
        raise CannotReplay(f"no refusal of the language has the error type {code!r} (HTTP {status})")
    name = next((name for name in alike if REFUSALS[name].text == message), alike[0])
    if REFUSALS[name].text == message and REFUSALS[name].status == status:
        return {"refuse": name}
    return {"refuse": {"name": name, "status": status} | ({} if message is None else {"message": message})}


def _steps(exchange: Exchange, acts: Sequence[Exchange]) -> Iterator[Json]:
    """A step for each frame, and the waits between them."""
    before = 0.0
    for act in acts:
        if act.get("data") is None:
            continue
        now = _moment(act, exchange)
        if now - before >= SHORTEST_WAIT:
            yield {"wait": round(now - before, 4)}
            before = now
        yield from _said(exchange["operation"], b64decode(act["data"]))


def _wait(acts: Sequence[Exchange], exchange: Exchange) -> list[Json]:
    first = _moment(acts[0], exchange)
    return [{"wait": round(first, 4)}] if first >= SHORTEST_WAIT else []


def _moment(act: Exchange, exchange: Exchange) -> float:
    """When it was planned; where a gate held, nobody had planned what came after."""
    gated = any(str(each["what"]).startswith("gate ") for each in exchange["acts"])
    return float(act["actual"] if gated else act["planned"])


def _said(operation: str, data: bytes) -> list[Json]:
    """The steps that send these bytes."""
    if operation in WHOLE:
        return [_literal(data)]
    decoder = Decoder()
    with suppress(FrameError):
        steps = [_step(message) for message in decoder.messages(data)]
        if not decoder.pending and None not in steps:
            return steps
    if operation != "ConverseStream":
        raise CannotReplay(f"{operation} has a step for whole chunks only, and a part of one was sent")
    return [_literal(data)]


def _step(message: Message) -> Json | None:
    """The step that makes a frame; None: the language has no other than its bytes."""
    kind = message.header(":message-type")
    try:
        payload = json.loads(message.payload or b"{}")
    except ValueError:
        return None
    if not isinstance(payload, dict):
        return None
    if kind == "exception" and payload.keys() == {"message"}:
        name, text = message.header(":exception-type"), payload["message"]
        return {"throw": {"exception": str(name), "message": text}}
    if kind == "error":
        return {
            "throw": {"error": message.header(":error-code"), "message": message.header(":error-message")}
        }
    event = message.header(":event-type")
    if kind != "event" or not isinstance(event, str):
        return None
    payload.pop("p", None)
    if event == "chunk" and payload.keys() == {"bytes"}:
        return _literal(b64decode(payload["bytes"]))
    if event not in service.event_types() or service.event_violations(event, payload):
        return None
    return {"event": {event: payload}}


def _literal(data: bytes) -> Json:
    """Bytes, as text where they are."""
    with suppress(UnicodeDecodeError):
        return {"bytes": data.decode()}
    return {"bytes": {"base64": b64encode(data).decode()}}


def as_yaml(scenario: Json) -> str:
    """The scenario as the text of a file."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  the language has none
            return True

    return yaml.dump(scenario, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
