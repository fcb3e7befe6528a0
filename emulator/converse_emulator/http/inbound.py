"""What comes in: the body of a request, bounded, and the JSON in it."""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from converse_emulator.http.content import Content
from converse_emulator.language.scenario import Json
from converse_emulator.playing.wire import ClientLeft

MOST_BYTES = 26_214_400  # of a body, 25 MiB
DEEPEST = 200  # lists and objects in each other: what reads a body calls itself for each

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class TooLarge(ValueError):
    """A body beyond the limit."""

    def __init__(self) -> None:
        super().__init__(f"the request's body is larger than {MOST_BYTES} bytes, the emulator's limit")


class NotJson(ValueError):
    """A body that is no JSON object."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request: its length in bytes and the JSON object in it, empty if there is a problem."""

    size: int = 0
    content: Mapping[str, Json] = field(default_factory=dict)
    problem: TooLarge | NotJson | None = None
    raw: bytes = field(default=b"", compare=False, repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 in hex, as signatures have it."""
        return hashlib.sha256(self.raw).hexdigest()


async def read_body(
    receive: Receive, headers: Mapping[str, str], read: "Callable[[bytes], Body] | None" = None
) -> Body:
    """The body of a request, read by `body_of`; raises `ClientLeft` if that happens before it has come."""
    try:
        raw = await read_bytes(receive, headers)
    except TooLarge as problem:
        return Body(problem=problem)
    return (read or body_of)(raw)


def body_of(raw: bytes) -> Body:
    """What is in a body."""
    try:
        return Body(len(raw), json_object(raw), raw=raw)
    except NotJson as problem:
        return Body(len(raw), problem=problem, raw=raw)


async def read_bytes(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The bytes of a body; raises `TooLarge` as soon as that is known."""
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MOST_BYTES:
        raise TooLarge
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise TooLarge
        if not message.get("more_body", False):
            return bytes(body)


def json_object(body: bytes) -> Mapping[str, Json]:
    """The JSON object that a body is; an empty body is an empty object.

    Half a surrogate pair, which JSON can escape and UTF-8 cannot have, becomes `?`.
    """
    if not body.strip():
        return {}
    try:
        value = json.loads(body.decode(), parse_constant=_refuse)
    except RecursionError:
        raise NotJson("the request's body is nested too deep") from None
    except ValueError as error:
        raise NotJson(f"the request's body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise NotJson(f"the request's body is a JSON {type(value).__name__}; it must be an object")
    if body.count(b"[") + body.count(b"{") > DEEPEST and _is_deep(value):
        raise NotJson("the request's body is nested too deep")
    return Content(_encodable(value) if _SURROGATE.search(body) else value)


def _is_deep(value: Json) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        containers = (item.values() if isinstance(item, dict) else item for item in level)
        level = [inner for items in containers for inner in items if isinstance(inner, dict | list)]
    return bool(level)


def _encodable(value: Json) -> Json:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case list():
            return [_encodable(item) for item in value]
        case dict():
            return {_encodable(key): _encodable(item) for key, item in value.items()}
        case _:
            return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
