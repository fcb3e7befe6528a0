"""Events to the bytes of a Server-Sent Events stream (WHATWG HTML, section 9.2).

Every event is one `data:` line of JSON. JSON escapes CR and LF, so no text of a model can end the line and
forge an event. There is no `event:` field: the JSON's `type` says it, to EventSource and to fetch alike.
"""

import json
import re
from typing import Any, assert_never

from converse_handler.events import (
    BlockStarted,
    BlockStopped,
    Event,
    Failed,
    Finished,
    Started,
    Text,
    Thinking,
    ToolFinished,
    ToolStarted,
)

RETRY = b"retry: 3000\n"  # ms an EventSource waits before it reconnects; goes into a response's first block
HEARTBEAT = b": ping\n\n"  # a comment: keeps idle proxies from hanging up, dispatches nothing
DONE = b"data: [DONE]\n\n"

HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),  # no-transform: compressing proxies buffer
    (b"x-accel-buffering", b"no"),  # nginx buffers without it
)


TERMINAL = frozenset({"message_stop", "error"})  # the types of the events that end an answer


def encode(event: Event, number: int, answer: str = "") -> bytes:
    """The block of an event, the `number`th of its answer; by the answer's id the rest can be asked for."""
    id = f"{answer}-{number}" if answer else str(number)
    return b"%bid: %b\ndata: %b\n\n" % (RETRY if number == 1 else b"", id.encode(), to_json(payload(event)))


def opening(block: bytes) -> bytes:
    """A response's first block, which says when to reconnect, also where it is not the answer's first."""
    return block if block.startswith(RETRY) else RETRY + block


def decode(block: bytes) -> dict[str, Any]:
    """The event in a block of `encode`, as the wire contract spells it."""
    event: dict[str, Any] = json.loads(block.partition(b"data: ")[2])
    return event


def number_in(last_event_id: str, answer: str) -> int | None:
    """Which event of this answer the id names; 0 for none (""), None if it is no id of this answer."""
    if not last_event_id:
        return 0
    of, _, number = last_event_id.rpartition("-")
    return int(number) if of == answer and re.fullmatch("[0-9]{1,9}", number) else None


def payload(event: Event) -> dict[str, Any]:
    """The event as the wire contract spells it."""
    match event:
        case Started(id):
            return {"type": "message_start", "id": id}
        case BlockStarted(index, kind):
            return {"type": "content_block_start", "index": index, "kind": kind}
        case Text(index, text):
            return {"type": "content_block_delta", "index": index, "delta": {"text": text}}
        case Thinking(index, text):
            return {"type": "content_block_delta", "index": index, "delta": {"thinking": text}}
        case BlockStopped(index):
            return {"type": "content_block_stop", "index": index}
        case ToolStarted(id, name, label):
            return {"type": "tool_start", "id": id, "name": name, "label": label}
        case ToolFinished(id, name, error):
            return {"type": "tool_end", "id": id, "name": name, "ok": error is None, "error": error}
        case Finished(stop_reason, truncated, usage):
            tokens = usage and {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
            return {
                "type": "message_stop",
                "stop_reason": stop_reason,
                "truncated": truncated,
                "usage": tokens,
            }
        case Failed(code, message, retryable, partial):
            return {
                "type": "error",
                "code": code,
                "message": message,
                "retryable": retryable,
                "partial": partial,
            }
        case _ as never:
            assert_never(never)


def to_json(body: dict[str, Any]) -> bytes:
    """One line of JSON in UTF-8."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half of a surrogate pair has no UTF-8, but JSON can escape it
        return json.dumps(body, separators=(",", ":")).encode()
