"""One exchange as the journal tells it: what was asked, what was sent and when, how it ended."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from converse_emulator.language.scenario import Json
from converse_emulator.playing.acts import Beat, Ended, Raw, Send, explain
from converse_emulator.playing.told import act_json

SECRETS = frozenset({"authorization", "cookie", "proxy-authorization", "x-amz-security-token", "x-api-key"})

State = Literal["open", "done"]


@dataclass(frozen=True, slots=True)
class Performed:
    """An act of the emulator. `planned` and `actual` are seconds after the request; a gate moves the
    `actual` of what follows it. `injected`: misbehaviour that the scenario asked for."""

    planned: float
    actual: float
    what: str
    injected: bool
    bytes: int
    tokens: int
    act: Mapping[str, Json] | None = None  # to the byte, only where it is asked for


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what became of it, as far as it has come."""

    id: int
    session: str
    operation: str
    model_id: str
    invocation_id: str | None  # the same for all attempts of one call of an SDK
    attempt: int | None  # from 1; None: the client does not tell
    user_agent: str
    http_version: str  # 1.1 or 2, as the client speaks it
    request: Mapping[str, Json]  # {"headers": {...}, "body": {...}}, credentials redacted
    scenario: str | None  # None: the automatic answer, or none at all
    chosen_by: str | None
    instead: int | None  # which of the scenario's alternatives it got, from 1; 0: the wrap's throttling
    wrap: str | None  # what was done to it, as in the header x-converse-wrap
    seed: str
    started_at: float  # seconds since the epoch
    status: int | None  # None: no headers were sent
    acts: tuple[Performed, ...]
    state: State
    ended: Ended | None
    ended_at: float | None  # seconds after the request
    tokens_sent: int
    tokens_unsent: int  # tokens of the answer that the client did not get
    text_sent: str
    miss: str | None  # why nothing fitted the request

    def as_json(self) -> dict[str, Json]:
        """The exchange as a JSON object with the attributes as keys."""
        return asdict(self)


def performed(beat: Beat, actual: float) -> Performed:
    """What is told of a beat that was performed `actual` seconds after the request."""
    match beat.act:
        case Send(data, _, tokens):
            return Performed(beat.at, actual, explain(beat.act), beat.injected, len(data), tokens)
        case Raw(data):
            return Performed(beat.at, actual, explain(beat.act), beat.injected, len(data), 0)
        case _:
            return Performed(beat.at, actual, explain(beat.act), beat.injected, 0, 0)


def performed_to_the_byte(beat: Beat, actual: float) -> Performed:
    """The same, with its act."""
    return replace(performed(beat, actual), act=act_json(beat.act))


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without credentials; the scheme of an `authorization` is kept."""
    return {name: _redact(name, value) if name in SECRETS else value for name, value in headers.items()}


def _redact(name: str, value: str) -> str:
    scheme, _, rest = value.partition(" ")
    return f"{scheme} [redacted]" if rest and name.endswith("authorization") else "[redacted]"


def attempt_of(headers: Mapping[str, str]) -> int | None:
    """The attempt that an SDK tells in `amz-sdk-request: attempt=2; max=3`."""
    found = re.search(r"\battempt=(\d{1,9})\b", headers.get("amz-sdk-request", ""))
    return int(found[1]) if found else None
