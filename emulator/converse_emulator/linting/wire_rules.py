"""The rules of a ConverseStream body, each with the evidence that it is one, and the check that it holds.

A rule finds every place where it is broken; `lint` prints them with their offsets. The numbers of the
evidence count recorded real responses (frames or streams).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from converse_emulator.framing.frames import PADDING
from converse_emulator.http.responses import canonical_json, compact_json
from converse_emulator.linting.wire_frames import NOTHING, Capture, Frame
from converse_emulator.shapes.service import event_types, event_violations, stop_reasons, stream_exceptions

EVENT_HEADERS = (":event-type", ":content-type", ":message-type")
EXCEPTION_HEADERS = (":exception-type", ":content-type", ":message-type")
STARTED = ("toolUse", "toolResult", "image")  # block kinds that contentBlockStart announces


@dataclass(frozen=True, slots=True)
class Breach:
    """A place where a rule is broken; `offset` counts bytes from the body's start."""

    offset: int
    what: str


Check = Callable[[Capture], Iterator[Breach]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One fact of the wire. `evidence` says how it is known."""

    name: str
    requirement: str
    evidence: str
    check: Check


def _readable(capture: Capture) -> Iterator[Breach]:
    if capture.broken:
        yield Breach(capture.broken.offset, str(capture.broken))


def _whole(capture: Capture) -> Iterator[Breach]:
    if capture.left_over:
        yield Breach(
            capture.size - capture.left_over, f"{capture.left_over} bytes of a frame that is not whole"
        )


def _headers(capture: Capture) -> Iterator[Breach]:
    for frame in capture.frames:
        names = tuple(name for name, _ in frame.message.headers)
        allowed = EVENT_HEADERS if frame.is_event else EXCEPTION_HEADERS
        if names != allowed:
            yield Breach(
                frame.offset + 12, f"headers are {', '.join(names) or 'none'}; sent are {', '.join(allowed)}"
            )
        elif strange := [name for name, value in frame.message.headers if not isinstance(value, str)]:
            yield Breach(frame.offset + 12, f"{', '.join(strange)} is no string (type 7)")


def _content_type(capture: Capture) -> Iterator[Breach]:
    for frame in capture.frames:
        if (value := frame.message.header(":content-type")) not in (None, "application/json"):
            yield Breach(frame.offset + 12, f":content-type is {value!r}; sent is application/json")


def _json(capture: Capture) -> Iterator[Breach]:
    for frame in capture.frames:
        if frame.payload is NOTHING:
            yield Breach(frame.payload_offset, f"the payload of {frame.kind} is no JSON in UTF-8")


def _compact(capture: Capture) -> Iterator[Breach]:
    for frame in capture.frames:
        if frame.payload is not NOTHING and compact_json(frame.payload) != frame.message.payload:
            yield Breach(frame.payload_offset, f"the payload of {frame.kind} has spaces or needless escapes")


def _sorted(capture: Capture) -> Iterator[Breach]:
    for frame in capture.frames:
        if frame.payload is not NOTHING and canonical_json(frame.payload) != compact_json(frame.payload):
            keys = ", ".join(frame.members)
            yield Breach(frame.payload_offset, f"the keys of {frame.kind} are not sorted: {keys}")


def _known(capture: Capture) -> Iterator[Breach]:
    for frame in capture.frames:
        known = event_types() if frame.is_event else tuple(stream_exceptions())
        if frame.kind not in known:
            yield Breach(
                frame.offset + 12, f"{frame.kind or 'a frame without a name'}; known are {', '.join(known)}"
            )


def _shapes(capture: Capture) -> Iterator[Breach]:
    for frame in capture.events():
        if frame.kind in event_types() and isinstance(frame.payload, dict):
            body = {key: value for key, value in frame.members.items() if key != "p"}
            for violation in event_violations(frame.kind, body):
                if "'metadata.trace" not in violation:  # Bedrock's own traces lack required members
                    yield Breach(frame.payload_offset, violation)


def _padding(capture: Capture) -> Iterator[Breach]:
    for frame in capture.events():
        padding = frame.members.get("p")
        if not isinstance(padding, str) or not 2 <= len(padding) <= 61 or not PADDING.startswith(padding):
            yield Breach(frame.payload_offset, f"p of {frame.kind} is {padding!r}")


def _unpadded(capture: Capture) -> Iterator[Breach]:
    for frame in capture.frames:
        if not frame.is_event and list(frame.members) != ["message"]:
            yield Breach(
                frame.payload_offset, f"{frame.kind} has the members {', '.join(frame.members) or 'none'}"
            )


def _order(capture: Capture) -> Iterator[Breach]:
    if not capture.frames:
        yield Breach(0, "no frame at all")
        return
    first = capture.frames[0]
    if first.is_event and first.kind != "messageStart":
        yield Breach(first.offset, f"the first event is {first.kind}")
    for before, after in pairwise(capture.frames):
        if not before.is_event:
            yield Breach(after.offset, f"{after.kind} after {before.kind}, which ends a stream")
        elif before.kind == "metadata":
            yield Breach(after.offset, f"{after.kind} after metadata, the last event")
        elif before.kind == "messageStop" and after.kind != "metadata" and after.is_event:
            yield Breach(after.offset, f"{after.kind} after messageStop")
        elif after.kind == "messageStart":
            yield Breach(after.offset, "a second messageStart")


def _complete(capture: Capture) -> Iterator[Breach]:
    kinds = [frame.kind for frame in capture.frames]
    if all(frame.is_event for frame in capture.frames):
        for needed in ("messageStop", "metadata"):
            if needed not in kinds:
                yield Breach(capture.size, f"the body ends without {needed}")


def _blocks(capture: Capture) -> Iterator[Breach]:
    following, open_block = 0, -1
    for frame in capture.events():
        index = frame.members.get("contentBlockIndex")
        if not isinstance(index, int):
            if frame.kind == "messageStop" and open_block >= 0:
                yield Breach(frame.offset, f"messageStop while block {open_block} is open")
            continue
        if open_block < 0:
            if index != following:
                yield Breach(frame.payload_offset, f"block {index} where block {following} is due")
            open_block, following = index, index + 1
        elif index != open_block:
            yield Breach(
                frame.payload_offset, f"{frame.kind} of block {index} while block {open_block} is open"
            )
        if frame.kind == "contentBlockStop":
            open_block = -1


def _starts(capture: Capture) -> Iterator[Breach]:
    started: set[object] = set()
    for frame in capture.events():
        index = frame.members.get("contentBlockIndex")
        if frame.kind == "contentBlockStart":
            started.add(index)
            kinds = _keys(frame, "start")
            if not set(kinds) & set(STARTED):
                yield Breach(frame.payload_offset, f"contentBlockStart of {', '.join(kinds) or 'nothing'}")
        elif (
            frame.kind == "contentBlockDelta"
            and index not in started
            and set(_keys(frame, "delta")) & set(STARTED)
        ):
            yield Breach(
                frame.payload_offset, f"{', '.join(_keys(frame, 'delta'))} without contentBlockStart"
            )


def _keys(frame: Frame, member: str) -> list[str]:
    value = frame.members.get(member)
    return list(value) if isinstance(value, dict) else []


def _stop_reason(capture: Capture) -> Iterator[Breach]:
    for frame in capture.events():
        if frame.kind == "messageStop" and (reason := frame.members.get("stopReason")) not in stop_reasons():
            yield Breach(frame.payload_offset, f"stopReason is {reason!r}")


def _usage(capture: Capture) -> Iterator[Breach]:
    for frame in capture.events():
        usage = frame.members.get("usage")
        if frame.kind != "metadata" or not isinstance(usage, dict):
            continue
        parts = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
        total = sum(usage.get(part, 0) for part in parts)
        if usage.get("totalTokens") != total:
            yield Breach(
                frame.payload_offset,
                f"totalTokens is {usage.get('totalTokens')}, its parts add up to {total}",
            )


RULES: tuple[Rule, ...] = (
    Rule(
        "frame-crc",
        "Both checksums and all lengths of every frame are right.",
        "recorded, 26,241 frames",
        _readable,
    ),
    Rule("frame-whole", "The body ends where a frame ends.", "recorded, 780 streams", _whole),
    Rule(
        "frame-headers",
        "Three string headers: type, content type, message type.",
        "recorded, 9,999 frames",
        _headers,
    ),
    Rule(
        "content-type",
        "The payload's content type is application/json.",
        "recorded, 10,001 frames",
        _content_type,
    ),
    Rule("payload-json", "Every payload is JSON in UTF-8.", "recorded, 10,001 frames", _json),
    Rule(
        "payload-compact",
        "JSON without spaces, nothing escaped needlessly.",
        "recorded, 10,001 frames",
        _compact,
    ),
    Rule(
        "payload-sorted",
        "Keys are sorted at every level but in documents.",
        "recorded, 10,001 frames",
        _sorted,
    ),
    Rule("known-type", "Every event and exception is in the service model.", "service model", _known),
    Rule("event-shape", "Every event has the shape of the service model.", "service model", _shapes),
    Rule(
        "padding",
        "Every event has p, 2 to 61 characters of the alphabet.",
        "recorded, 25,961 frames",
        _padding,
    ),
    Rule("exception-bare", "An exception's payload is its message alone.", "recorded, 3 frames", _unpadded),
    Rule(
        "event-order",
        "messageStart, blocks, messageStop, metadata; an exception is last.",
        "recorded, 240 streams",
        _order,
    ),
    Rule(
        "event-complete",
        "Without an exception, messageStop and metadata come.",
        "recorded, 238 streams",
        _complete,
    ),
    Rule(
        "block-order",
        "Blocks are numbered 0, 1, 2, one after the other, each stopped.",
        "recorded, 240 streams",
        _blocks,
    ),
    Rule(
        "block-start", "Tool blocks are started by an event, no others are.", "recorded, 330 blocks", _starts
    ),
    Rule("stop-reason", "The stop reason is in the service model.", "service model", _stop_reason),
    Rule("usage-total", "totalTokens is the sum of its parts.", "recorded, 238 streams", _usage),
)
