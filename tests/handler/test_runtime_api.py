"""The Runtime API's client, byte for byte, at a socket that says what it is told."""

import asyncio
import base64
import json
import socket
from collections.abc import Callable

import pytest
from converse_handler.runtime_api import Failure, Invocation, RuntimeApi, RuntimeApiError

from tests.handler.peers import peer

ACCEPTED = b"HTTP/1.1 202 Accepted\r\ncontent-length: 16\r\n\r\n" + b'{"status":"OK"}\n'
PRELUDE = {"statusCode": 200, "headers": {"content-type": "text/event-stream"}}


def chunks(request: bytes) -> tuple[list[bytes], bytes]:
    """The chunks of a chunked request's body, and what stands after the last one."""
    _, _, rest = request.partition(b"\r\n\r\n")
    found: list[bytes] = []
    while True:
        size, _, rest = rest.partition(b"\r\n")
        if size == b"0":
            return found, rest
        found.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]


def test_an_invocation() -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 4f96fa37\r\n"
        b"Lambda-Runtime-Deadline-Ms: 1795327200500\r\nLambda-Runtime-Trace-Id: Root=1-5759e988\r\n"
        b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a": 1}\r\n0\r\n\r\n'
    )
    with peer(answer, b"\r\n\r\n") as lambda_:
        invocation = RuntimeApi(lambda_.address).next()
    assert invocation == Invocation("4f96fa37", {"a": 1}, 1795327200.5, "Root=1-5759e988")
    assert lambda_.request.startswith(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n")


async def stream(api: RuntimeApi, *pieces: bytes, failure: Failure | None = None) -> None:
    response = await api.respond("4f96fa37", PRELUDE)
    for piece in pieces:
        await response.write(piece)
    await response.end(failure)


def test_a_streamed_response() -> None:
    with peer(ACCEPTED, b"0\r\n\r\n") as lambda_:
        asyncio.run(stream(RuntimeApi(lambda_.address), b": ping\n\n", b"", b"data: 1\n\n"))
    head, _, _ = lambda_.request.partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "POST /2018-06-01/runtime/invocation/4f96fa37/response HTTP/1.1",
        f"Host: {lambda_.address}",
        "Content-Type: application/vnd.awslambda.http-integration-response",
        "Lambda-Runtime-Function-Response-Mode: streaming",
        "Transfer-Encoding: chunked",
        "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        "Connection: close",
    ]
    (prelude, *body), trailers = chunks(lambda_.request)
    assert prelude.endswith(b"}" + bytes(8))
    assert json.loads(prelude[:-8]) == PRELUDE
    assert body == [b": ping\n\n", b"data: 1\n\n"]
    assert trailers == b"\r\n"


def test_a_failure_in_the_middle_is_told_in_trailers() -> None:
    failure = Failure("Function.Failed", "it broke")
    with peer(ACCEPTED, base64.b64encode(failure.body) + b"\r\n\r\n") as lambda_:
        asyncio.run(stream(RuntimeApi(lambda_.address), b"data: 1\n\n", failure=failure))
    (_, *body), trailers = chunks(lambda_.request)
    assert body == [b"data: 1\n\n"]
    kind, told, *rest = trailers.split(b"\r\n")
    assert kind == b"Lambda-Runtime-Function-Error-Type: Function.Failed"
    name, _, value = told.partition(b": ")
    assert name == b"Lambda-Runtime-Function-Error-Body"
    assert json.loads(base64.b64decode(value)) == {
        "errorType": "Function.Failed",
        "errorMessage": "it broke",
        "stackTrace": [],
    }
    assert rest == [b"", b""]


@pytest.mark.parametrize(
    ("report", "path"),
    [
        (lambda api, failure: api.fail("4f96fa37", failure), b"/invocation/4f96fa37/error"),
        (lambda api, failure: api.fail_init(failure), b"/init/error"),
    ],
)
def test_a_failure_before_the_first_byte(report: Callable[[RuntimeApi, Failure], None], path: bytes) -> None:
    with peer(ACCEPTED, b"}") as lambda_:
        report(RuntimeApi(lambda_.address), Failure("Function.SettingsError", "wrong"))
    head, _, body = lambda_.request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /2018-06-01/runtime%b HTTP/1.1\r\n" % path)
    assert b"\r\nLambda-Runtime-Function-Error-Type: Function.SettingsError" in head
    assert json.loads(body) == {
        "errorType": "Function.SettingsError",
        "errorMessage": "wrong",
        "stackTrace": [],
    }


def test_what_lambda_does_not_take_is_told() -> None:
    refusal = b'HTTP/1.1 400 Bad Request\r\nContent-Length: 32\r\n\r\n{"errorType":"InvalidRequestID"}\n'
    with (
        peer(refusal, b"0\r\n\r\n") as lambda_,
        pytest.raises(RuntimeApiError, match=r"the response was not taken: b'HTTP/1\.1 400 Bad Request"),
    ):
        asyncio.run(stream(RuntimeApi(lambda_.address)))
    with (
        peer(refusal, b"}") as lambda_,
        pytest.raises(RuntimeApiError, match=r"POST /invocation/x/error: 400 .*InvalidRequestID"),
    ):
        RuntimeApi(lambda_.address).fail("x", Failure("Function.X", "x"))


def test_no_runtime_api_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(RuntimeApiError, match="GET /invocation/next: ConnectionRefusedError"):
        RuntimeApi(address).next()
