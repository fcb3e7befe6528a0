"""Text for people: a beat of a timeline, an event-stream body frame by frame, a journal."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from converse_emulator.framing.eventstream import Decoder, FrameError, Message
from converse_emulator.language.scenario import Json
from converse_emulator.playing.acts import Beat, Send, explain

PREVIEW = 100  # characters of a payload in a listing
STANDARD = {":event-type", ":exception-type", ":content-type", ":message-type"}
NAMING = (":event-type", ":exception-type", ":error-code")


def beat_line(beat: Beat) -> str:
    """`+0.012 s  send 121 B (contentBlockDelta)  {"delta":…}`, and a mark if it was injected."""
    payload = f"  {_payload_of(beat.act.data)}" if isinstance(beat.act, Send) else ""
    return f"  +{beat.at:.3f} s  {explain(beat.act)}{'  [injected]' if beat.injected else ''}{payload}"


def _payload_of(data: bytes) -> str:
    """The payload of the frame that `data` is, or of the JSON body; nothing if it is broken."""
    if data.startswith(b"{"):
        return _shortened(data.decode("utf-8", "replace"))
    try:
        messages = Decoder().feed(data)
    except FrameError:
        return ""
    return " ".join(_shortened(_without_padding(message.payload)) for message in messages)


def _without_padding(payload: bytes) -> str:
    text = payload.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, dict):
        value.pop("p", None)
        if value.keys() == {"bytes"}:  # a native chunk
            return b64decode(value["bytes"]).decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shortened(text: str) -> str:
    return text if len(text) <= PREVIEW else f"{text[: PREVIEW - 1]}…"


# ---------------------------------------------------------------------------------------------- decode


def frame_lines(body: bytes) -> Iterator[str]:
    """A line for each frame of an event-stream body, with its offset; raises `BadFrame` where it breaks."""
    decoder = Decoder()
    start = 0
    try:
        for message in decoder.messages(body):
            yield f"0x{start:08x}  {decoder.offset - start:5} B  {message_text(message)}"
            start = decoder.offset
    except FrameError as error:
        raise BadFrame(start, str(error)) from error
    if decoder.pending:
        raise BadFrame(start, f"the body ends after {decoder.pending} bytes of this message")


class BadFrame(ValueError):
    """A frame that cannot be decoded."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(f"0x{offset:08x}  {what}")


def message_text(message: Message) -> str:
    """Kind and name of a message, headers that are not the usual ones, and its payload."""
    kind = message.header(":message-type") or "no :message-type"
    name = next((value for header in NAMING if (value := message.header(header))), "unnamed")
    more = [f"{header}={value!r}" for header, value in message.headers if header not in STANDARD]
    payload = message.payload.decode("utf-8", "backslashreplace")
    return "  ".join((str(kind), str(name), *more, payload))


# --------------------------------------------------------------------------------------------- journal


def journal_texts(
    exchanges: Sequence[Mapping[str, Json]], outages: Sequence[Mapping[str, Json]]
) -> list[str]:
    """Exchanges and outages, as they began."""
    told = [
        *((each["started_at"], exchange_text(each)) for each in exchanges),
        *((each["started_at"], outage_text(each)) for each in outages),
    ]
    return [text for _, text in sorted(told, key=lambda each: float(each[0]))]


def outage_text(outage: Mapping[str, Json]) -> str:
    """An outage as the journal tells it, and a line for each connection that is told of."""
    return "\n".join(
        (
            f"outage {outage_line(outage)}",
            *(f"  +{each['at']:.3f} s  {each['peer']}  {each['what']}" for each in outage["connections"]),
        )
    )


def outage_line(outage: Mapping[str, Json]) -> str:
    """`close, 09:00:01.500 to 09:00:11.500 UTC · 2 connections cut · 3 came`."""
    met = "nobody listened, so who came is unknown" if outage["met"] is None else f"{outage['met']} came"
    until = _time_of_day(outage["ended_at"]) if outage["ended_at"] else "now"
    span = f"{_time_of_day(outage['started_at'])} to {until} UTC"
    return f"{outage['how']}, {span} · {outage['cut']} connection{'s' * (outage['cut'] != 1)} cut · {met}"


def _time_of_day(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%H:%M:%S.%f")[:-3]


def exchange_text(exchange: Mapping[str, Json]) -> str:
    """An exchange as `GET /_emulator/journal` tells it: a line on what it was, and one for each act."""
    chosen = exchange["scenario"] or exchange["chosen_by"] or "no scenario"
    attempt = f", attempt {exchange['attempt']}" if exchange["attempt"] else ""
    ended = exchange["ended"] or exchange["state"]
    return "\n".join(
        (
            f"#{exchange['id']} {exchange['operation']} {exchange['model_id']}",
            f"  session {exchange['session']}{attempt} · {chosen}{_varied(exchange)} · {ended}",
            *([f"  missed: {exchange['miss']}"] if exchange["miss"] else []),
            *_act_lines(exchange["acts"]),
            f"  {exchange['tokens_sent']} tokens sent, {exchange['tokens_unsent']} not sent",
        )
    )


def _varied(exchange: Mapping[str, Json]) -> str:
    """What made the reply another than the scenario's usual one."""
    instead, wrap = exchange["instead"], exchange["wrap"]
    return (f", instead {instead}" if instead else "") + (f", {wrap}" if wrap else "")


def _act_lines(acts: Sequence[Mapping[str, Json]]) -> Iterator[str]:
    for act in acts:
        mark = "  [injected]" if act["injected"] else ""
        yield f"  +{act['actual']:.3f} s (planned {act['planned']:.3f})  {act['what']}{mark}"
