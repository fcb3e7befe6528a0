"""Acts as JSON, to the byte: what `replay` reads. Bytes are base64."""

from base64 import b64encode
from typing import assert_never

from converse_emulator.language.scenario import Json
from converse_emulator.playing.acts import (
    Act,
    Finish,
    Gate,
    GoAway,
    Hangup,
    Head,
    Hold,
    Raw,
    Reset,
    Send,
    Torn,
)


def act_json(act: Act) -> dict[str, Json]:
    """A mapping of one key, the act's name, to what it says."""
    match act:
        case Head(status, headers):
            return {"head": {"status": status, "headers": [list(each) for each in headers]}}
        case Send(data, _, _, alone):
            return {"send": {"data": b64encode(data).decode(), "alone": alone}}
        case Torn(whole, at):
            return {"torn": {"act": act_json(whole), "at": at}}
        case Raw(data):
            return {"raw": {"data": b64encode(data).decode()}}
        case GoAway(code):
            return {"go_away": {"code": code.name}}
        case Gate(name):
            return {"gate": {"name": name}}
        case Hold(repeated, every):
            return {"hold": {"act": act_json(repeated) if repeated else None, "every": every}}
        case Finish():
            return {"finish": {}}
        case Hangup(connection):
            return {"hangup": {"connection": connection}}
        case Reset(code, connection):
            return {"reset": {"code": code.name, "connection": connection}}
        case _ as never:
            assert_never(never)
