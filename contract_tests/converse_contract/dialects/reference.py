"""The reference handler's dialect: Server-Sent Events, one JSON object each, `[DONE]` at the end.

Asking is a template, so that a handler with another path or request body can be driven as it is. Reading
forgives what a first sketch of the wire leaves out: a block start without `kind` is text, a missing `index`
is 0, a missing `truncated` is false, members that are not known are passed over.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from converse_contract import sse
from converse_contract.dialect import HttpRequest, Seen
from converse_contract.transcript import (
    BlockStarted,
    BlockStopped,
    Failed,
    Finished,
    Heartbeat,
    Observed,
    Sentinel,
    Started,
    Text,
    Thinking,
    ToolFinished,
    ToolStarted,
    Unreadable,
)

PATH = "/chat"
REQUEST = '{"messages": [{"role": "user", "content": "{{prompt}}"}]}'
SENTINEL = "[DONE]"
HEADERS = {
    "accept": "text/event-stream",
    "accept-encoding": "gzip, deflate",  # as browsers ask; a handler must not compress an event stream
    "content-type": "application/json",
}

_REQUIRED: Any = object()


class ReferenceDialect:
    """`request` is a JSON text in whose strings `{{prompt}}` stands for the prompt; else ValueError."""

    def __init__(self, path: str = PATH, request: str = REQUEST) -> None:
        try:
            self._template = json.loads(request)
        except ValueError as error:
            raise ValueError(f"the request template is not JSON: {error}") from None
        if _filled(self._template, "") == self._template:
            raise ValueError("the request template has no {{prompt}} in it")
        self._path = path

    def request(self, prompt: str) -> HttpRequest:
        """The request that asks this prompt."""
        body = json.dumps(_filled(self._template, prompt)).encode()
        return HttpRequest("POST", self._path, HEADERS, body)

    def reader(self) -> "ReferenceReader":
        """A reader for the answer."""
        return ReferenceReader()

    def message(self, text: str) -> Seen:
        """The event in one message: `seq` is its number, and `{"type": "ping"}` a heartbeat without one."""
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return Seen(read(text))
        if body.get("type") == "ping":
            return Seen(Heartbeat())
        number = body.get("seq")
        return Seen(read(text), None if number is None else str(number))


class ReferenceReader:
    """Reads one response."""

    def __init__(self) -> None:
        self._decoder = sse.Decoder()

    def feed(self, data: bytes) -> list[Seen]:
        """The events that these bytes complete, in order."""
        seen = []
        for event in self._decoder.feed(data):
            match event:
                case sse.Comment():
                    seen.append(Seen(Heartbeat()))
                case sse.Message(data=text, id=own_id):
                    seen.append(Seen(read(text), own_id))
                case sse.Retry():
                    pass  # not an event; checks read it from the transcript's bytes
        return seen


def read(text: str) -> Observed:
    """The canonical event that this data spells."""
    if text == SENTINEL:
        return Sentinel()
    try:
        body = json.loads(text)
    except ValueError as error:
        return Unreadable(text, f"not JSON: {error}")
    if not isinstance(body, dict):
        return Unreadable(text, "not a JSON object")
    build = EVENTS.get(str(body.get("type")))
    if build is None:
        return Unreadable(text, f"the event type {body.get('type')!r} is none of {', '.join(EVENTS)}")
    try:
        return build(body)
    except _WrongMember as error:
        return Unreadable(text, str(error))


class _WrongMember(Exception):
    pass


def _member(body: Mapping[str, Any], name: str, kind: type, default: Any = _REQUIRED) -> Any:
    value = body.get(name, default)
    if value is _REQUIRED:
        raise _WrongMember(f"{name!r} is missing")
    if value is default:
        return value
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _WrongMember(f"{name!r} is {type(value).__name__}, not {kind.__name__}")
    return value


def _delta(body: Mapping[str, Any]) -> Observed:
    delta = _member(body, "delta", dict)
    index = _member(body, "index", int, 0)
    if "thinking" in delta:
        return Thinking(_member(delta, "thinking", str), index)
    return Text(_member(delta, "text", str), index)


def _message_stop(body: Mapping[str, Any]) -> Observed:
    usage = _member(body, "usage", dict, None) or {}
    return Finished(
        _member(body, "stop_reason", str),
        _member(body, "truncated", bool, False),
        _member(usage, "input_tokens", int, None),
        _member(usage, "output_tokens", int, None),
    )


def _error(body: Mapping[str, Any]) -> Observed:
    return Failed(
        _member(body, "code", str),
        _member(body, "message", str),
        _member(body, "retryable", bool, None),
        _member(body, "partial", bool, None),
    )


EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Observed]] = {
    "message_start": lambda _: Started(),
    "content_block_start": lambda body: BlockStarted(
        _member(body, "index", int, 0), _member(body, "kind", str, "text")
    ),
    "content_block_delta": _delta,
    "content_block_stop": lambda body: BlockStopped(_member(body, "index", int, 0)),
    "tool_start": lambda body: ToolStarted(
        _member(body, "id", str), _member(body, "name", str), _member(body, "label", str, None)
    ),
    "tool_end": lambda body: ToolFinished(
        _member(body, "id", str),
        _member(body, "name", str),
        _member(body, "ok", bool),
        _member(body, "error", str, None),
    ),
    "message_stop": _message_stop,
    "error": _error,
}


def _filled(template: Any, prompt: str) -> Any:
    match template:
        case str():
            return template.replace("{{prompt}}", prompt)
        case list():
            return [_filled(item, prompt) for item in template]
        case dict():
            return {name: _filled(value, prompt) for name, value in template.items()}
        case _:
            return template
