"""The invoke APIs as the service answers them: heads, event-stream frames, errors. No I/O.

Sources: a capture of both APIs (September 2026, HTTP/1.1), and botocore's model of `lambda`.
"""

import json
from base64 import b64encode

from converse_emulator.framing.eventstream import Message, encode

from converse_hops.functions.invocation import Failure, Invocation
from converse_hops.http.link import Headers

BUFFERED = "/2015-03-31/functions/"
STREAMING = "/2021-11-15/functions/"
EVENT_STREAM = "application/vnd.amazon.eventstream"
CONTENT_TYPE = "x-amzn-remapped-content-type"  # of the function's response
ASK_ERRORS = "x-converse-tell-errors"  # a front of ours asks to be told what the wire does not tell


def payload_chunk(data: bytes) -> bytes:
    """The frame of a piece of the function's response."""
    return encode(Message(_headers("PayloadChunk", "application/octet-stream"), data))


def invoke_complete(failure: Failure | None = None, log: bytes | None = None) -> bytes:
    """The last frame. `failure` is only told where it is asked for: the captured ones never have it."""
    members: dict[str, str] = {}
    if failure:
        members["ErrorCode"] = failure.code
        members["ErrorDetails"] = failure.body.decode(errors="replace")
    if log is not None:
        members["LogResult"] = b64encode(log).decode()
    payload = json.dumps(members, separators=(",", ":")).encode()
    return encode(Message(_headers("InvokeComplete", "application/json"), payload))


def _headers(event_type: str, content_type: str) -> tuple[tuple[str, str], ...]:
    return ((":event-type", event_type), (":content-type", content_type), (":message-type", "event"))


def stream_head(invocation: Invocation, date: str, content_type: str) -> Headers:
    """The head of InvokeWithResponseStream's response."""
    return (
        ("Date", date),
        ("Content-Type", EVENT_STREAM),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "keep-alive"),
        ("x-amzn-RequestId", invocation.id),
        ("X-Amz-Executed-Version", "$LATEST"),
        (CONTENT_TYPE, content_type),
        ("X-Amzn-Trace-Id", invocation.trace_id),
    )


def whole_head(
    invocation: Invocation, date: str, content_type: str, failure: Failure | None, log: bytes | None
) -> Headers:
    """The head of Invoke's response. A streamed response that broke off is no failure here, as captured."""
    rows = [
        ("Date", date),
        ("Content-Type", content_type),
        ("Connection", "keep-alive"),
        ("x-amzn-RequestId", invocation.id),
        ("x-amzn-Remapped-Content-Length", "0"),
        ("X-Amz-Executed-Version", "$LATEST"),
        ("X-Amzn-Trace-Id", invocation.trace_id),
    ]
    if failure:
        rows.append(("X-Amz-Function-Error", "Unhandled"))
    if log is not None:
        rows.append(("X-Amz-Log-Result", b64encode(log).decode()))
    return tuple(rows)


def log_of(invocation: Invocation, milliseconds: float) -> bytes:
    """The tail of the log of an invocation, as the service writes it around what the function printed."""
    report = f"Duration: {milliseconds:.2f} ms\tBilled Duration: {int(milliseconds) + 1} ms"
    return (
        f"START RequestId: {invocation.id} Version: $LATEST\n".encode()
        + bytes(invocation.log)
        + f"END RequestId: {invocation.id}\nREPORT RequestId: {invocation.id}\t{report}\n".encode()
    )[-4096:]


class Refused(Exception):
    """An error of the service itself."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.status = status
        self.error_type = error_type
        self.message = message

    @property
    def headers(self) -> Headers:
        return (("Content-Type", "application/json"), ("x-amzn-ErrorType", self.error_type))

    @property
    def body(self) -> bytes:
        key = "Message" if self.status == 404 else "message"
        return json.dumps({"Type": "User", key: self.message}, separators=(",", ":")).encode()
