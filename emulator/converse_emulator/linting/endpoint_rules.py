"""The rules of a live endpoint: heads, bodies and errors of its responses, each with evidence and check."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from converse_emulator.http.responses import EVENT_STREAM, JSON, canonical_json
from converse_emulator.linting.signed_call import Answer, call

MESSAGES = [{"role": "user", "content": [{"text": "Say hello."}]}]
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
COMMON = ("Date", "Content-Type", "Content-Length", "Connection", "x-amzn-RequestId")
STREAMED = ("Date", "Content-Type", "Transfer-Encoding", "Connection", "x-amzn-RequestId")
CORAL = "http://internal.amazon.com/coral/com.amazon.bedrock/"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)  # and empty SETTINGS
MOST_SKEW = 300.0  # seconds, beyond which SDKs correct their clocks and retry everything


@dataclass(frozen=True, slots=True)
class Answers:
    """What an endpoint answered: a stream, a whole response, and a request that breaks a constraint."""

    endpoint: str
    stream: Answer
    whole: Answer
    refusal: Answer


def ask(endpoint: str, model_id: str) -> Answers:
    """Call the endpoint three times."""
    good = {"messages": MESSAGES, "inferenceConfig": {"maxTokens": 64}}
    bad = {"messages": MESSAGES, "inferenceConfig": {"maxTokens": 0}}
    return Answers(
        endpoint,
        call(endpoint, "converse-stream", model_id, good),
        call(endpoint, "converse", model_id, good),
        call(endpoint, "converse-stream", model_id, bad),
    )


@dataclass(frozen=True, slots=True)
class EndpointRule:
    """One fact of the service's HTTP. The check yields what is wrong."""

    name: str
    requirement: str
    evidence: str
    check: Callable[[Answers], Iterator[str]]


def _stream_head(answers: Answers) -> Iterator[str]:
    yield from _head(answers.stream, 200, EVENT_STREAM, STREAMED)


def _whole_head(answers: Answers) -> Iterator[str]:
    yield from _head(answers.whole, 200, JSON, COMMON)


def _refusal_head(answers: Answers) -> Iterator[str]:
    yield from _head(answers.refusal, 400, JSON, (*COMMON, "x-amzn-ErrorType"))


def _head(answer: Answer, status: int, content_type: str, names: tuple[str, ...]) -> Iterator[str]:
    if answer.status != status:
        yield f"status {answer.status}, should be {status}"
    if answer.header("content-type") != content_type:
        yield f"Content-Type is {answer.header('content-type')}, should be {content_type}"
    if (seen := tuple(name for name, _ in answer.headers)) != names:
        yield f"headers are {', '.join(seen)}; sent are {', '.join(names)}"


def _request_ids(answers: Answers) -> Iterator[str]:
    for answer in (answers.stream, answers.whole, answers.refusal):
        if not UUID4.fullmatch(answer.header("x-amzn-requestid") or ""):
            yield f"x-amzn-RequestId is {answer.header('x-amzn-requestid')}"


def _date(answers: Answers) -> Iterator[str]:
    try:
        skew = time.time() - parsedate_to_datetime(answers.stream.header("date") or "").timestamp()
    except ValueError:
        yield f"Date is {answers.stream.header('date')}"
        return
    if abs(skew) > MOST_SKEW:
        yield f"Date is {skew:.0f} s off"


def _whole_body(answers: Answers) -> Iterator[str]:
    try:
        body = json.loads(answers.whole.body)
    except ValueError:
        yield "the body is no JSON"
        return
    if canonical_json(body) != answers.whole.body:
        yield "the body has spaces, escapes or unsorted keys"
    if not isinstance(body, dict) or not {"metrics", "output", "stopReason", "usage"} <= body.keys():
        yield f"the body's members are {', '.join(body)}"


def _refusal_body(answers: Answers) -> Iterator[str]:
    try:
        body = json.loads(answers.refusal.body)
    except ValueError:
        yield "the body is no JSON"
        return
    if list(body) != ["message"]:
        yield f"the body's members are {', '.join(body)}; sent is message alone"
    if (kind := answers.refusal.header("x-amzn-errortype")) != f"ValidationException:{CORAL}":
        yield f"x-amzn-ErrorType is {kind}; sent is ValidationException:{CORAL}"


def _http2(answers: Answers) -> Iterator[str]:
    parts = urlsplit(answers.endpoint)
    if parts.scheme == "https":
        return  # by ALPN, and no client starts otherwise
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=5) as connection:
        connection.sendall(PREFACE)
        try:
            first = connection.recv(9)
        except OSError as error:
            first = repr(error).encode()
    if first[3:4] != b"\x04":
        yield f"an HTTP/2 preface is answered with {first!r}, no SETTINGS frame"


ENDPOINT_RULES: tuple[EndpointRule, ...] = (
    EndpointRule(
        "stream-head", "ConverseStream: 200, chunked, five headers.", "recorded, 27 responses", _stream_head
    ),
    EndpointRule("whole-head", "Converse: 200, JSON, five headers.", "recorded, 527 responses", _whole_head),
    EndpointRule(
        "whole-body", "Converse: compact JSON with sorted keys.", "recorded, 527 responses", _whole_body
    ),
    EndpointRule(
        "refusal-head",
        "A broken constraint: 400 with an error type.",
        "recorded, 56 responses",
        _refusal_head,
    ),
    EndpointRule(
        "refusal-body",
        "The body is the message, the header the type.",
        "recorded, 56 responses",
        _refusal_body,
    ),
    EndpointRule(
        "request-id",
        "Every response has a UUID 4 as its request id.",
        "recorded, 187 responses",
        _request_ids,
    ),
    EndpointRule("date", "Date is the true time.", "SDKs take another for a skewed clock", _date),
    EndpointRule("http2", "HTTP/2 with prior knowledge is spoken.", "the JavaScript SDK's default", _http2),
)
