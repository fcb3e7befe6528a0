"""Function URLs: both modes with every kind of handler, byte for byte, and what goes wrong."""

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from converse_hops import Function, FunctionUrl
from converse_hops.fronts.cors import Cors

from tests.hops.functions.by_hand import PRELUDE, Runtime
from tests.hops.peers import everything, raw, until

Scripted = Callable[..., Function]
SSE = {"statusCode": 200, "headers": {"content-type": "text/event-stream", "cache-control": "no-cache"}}


def ask(function: Function, mode: str, script: object, **options: Any) -> httpx.Response:
    """What a client of the URL gets of a scripted function."""
    with FunctionUrl(function, mode, **options) as url:  # type: ignore[arg-type]
        return httpx.post(url.url, json=script, timeout=30)


# ----------------------------------------------------------- mode and kind of handler: the whole matrix


def test_response_stream_with_a_streaming_handler_with_prelude_streams(scripted: Scripted) -> None:
    response = ask(scripted(), "RESPONSE_STREAM", {"metadata": SSE, "chunks": ["data: 1\n\n", "data: 2\n\n"]})
    assert (response.status_code, response.text) == (200, "data: 1\n\ndata: 2\n\n")
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["transfer-encoding"] == "chunked"


def test_response_stream_with_a_streaming_handler_without_prelude_streams_octets(scripted: Scripted) -> None:
    response = ask(scripted(), "RESPONSE_STREAM", {"chunks": ["data: 1\n\n"]})
    assert (response.status_code, response.text) == (200, "data: 1\n\n")
    assert response.headers["content-type"] == "application/octet-stream"


def test_response_stream_with_an_ordinary_handler_shows_the_literal_json(scripted: Scripted) -> None:
    answer = {"statusCode": 404, "headers": {"content-type": "text/event-stream"}, "body": "data: 1\n\n"}
    response = ask(scripted(), "RESPONSE_STREAM", {"return": answer})
    assert (response.status_code, response.json()) == (200, answer)
    assert response.headers["content-type"] == "application/json"


def test_response_stream_with_an_ordinary_handler_that_throws_shows_its_stack(scripted: Scripted) -> None:
    response = ask(scripted(), "RESPONSE_STREAM", {"throw": "boom"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"errorType": "Error", "errorMessage": "boom", "trace": ["at /var/task/app.js"]}


def test_buffered_with_a_streaming_handler_with_prelude_has_a_head_and_no_body(scripted: Scripted) -> None:
    script = {"metadata": {**SSE, "statusCode": 206}, "chunks": ["data: 1\n\n"]}
    response = ask(scripted(), "BUFFERED", script)
    assert (response.status_code, response.content) == (206, b"")
    assert response.headers["content-type"] == "text/event-stream"


def test_buffered_with_a_streaming_handler_without_prelude_gives_all_at_the_end(scripted: Scripted) -> None:
    response = ask(scripted(), "BUFFERED", {"chunks": ["data: 1\n\n", "data: 2\n\n"]})
    assert response.text == "data: 1\n\ndata: 2\n\n"
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-length"] == "18"


def test_buffered_with_an_ordinary_handler_answers(scripted: Scripted) -> None:
    answer = {"statusCode": 201, "headers": {"X-Mine": "1"}, "cookies": ["a=b"], "body": "hi"}
    response = ask(scripted(), "BUFFERED", {"return": answer})
    assert (response.status_code, response.text) == (201, "hi")
    assert (response.headers["x-mine"], response.headers["set-cookie"]) == ("1", "a=b")
    assert response.headers["content-type"] == "application/json"


def test_buffered_with_an_ordinary_handler_that_throws_is_a_502(scripted: Scripted) -> None:
    response = ask(scripted(), "BUFFERED", {"throw": "boom"})
    assert (response.status_code, response.text) == (502, "Internal Server Error")


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ({"message": "hi"}, 200, b'{"message":"hi"}'),
        ("hi", 200, b"hi"),
        ([1], 200, b"[1]"),
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, b"hi"),
        ({"statusCode": 200, "body": {"a": 1}}, 200, b'{"a":1}'),
        ({"statusCode": 204}, 204, b""),
        ({"statusCode": "nonsense"}, 502, b"Internal Server Error"),
        ({"statusCode": 200, "body": "!", "isBase64Encoded": True}, 502, b"Internal Server Error"),
    ],
)
def test_buffered_answers_are_read_by_payload_format_2(
    scripted: Scripted, answer: object, status: int, body: bytes
) -> None:
    response = ask(scripted(), "BUFFERED", {"return": answer})
    assert (response.status_code, response.content) == (status, body)


# ------------------------------------------------------------------------------ forgotten on real Python


@pytest.fixture
def managed(tmp_path: Path) -> Iterator[Function]:
    """The managed Python runtime with an ordinary handler."""
    pytest.importorskip("awslambdaric")
    (tmp_path / "app.py").write_text(
        "def handler(event, context):\n"
        "    if event['rawPath'] == '/throw':\n"
        "        raise RuntimeError('boom')\n"
        "    headers = {'content-type': 'text/event-stream'}\n"
        "    return {'statusCode': 200, 'headers': headers, 'body': 'data: hi'}\n"
    )
    command = [sys.executable, "-m", "awslambdaric", "app.handler"]
    with Function(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}) as function:
        yield function


def test_response_stream_over_the_managed_python_runtime_is_literal_json(managed: Function) -> None:
    with FunctionUrl(managed, "RESPONSE_STREAM") as url:
        response = httpx.get(url.url, timeout=30)
        thrown = httpx.get(f"{url.url}/throw", timeout=30)
    assert response.headers["content-type"] == "application/json"
    assert response.json()["body"] == "data: hi"
    assert (thrown.status_code, thrown.json()["errorMessage"]) == (200, "boom")
    assert "app.py" in thrown.json()["stackTrace"][0]


def test_buffered_over_the_managed_python_runtime_answers(managed: Function) -> None:
    with FunctionUrl(managed, "BUFFERED") as url:
        response = httpx.get(url.url, timeout=30)
        thrown = httpx.get(f"{url.url}/throw", timeout=30)
    assert (response.text, response.headers["content-type"]) == ("data: hi", "text/event-stream")
    assert (thrown.status_code, thrown.text) == (502, "Internal Server Error")


# --------------------------------------------------------------------------------------------- the wire


def test_the_event_is_as_captured(by_hand: Function) -> None:
    with FunctionUrl(by_hand, "BUFFERED") as url:
        request = (
            "POST /chat/a%20b?x=1&y=a%26b&x=2 HTTP/1.1\r\nHost: fn.example\r\nUser-Agent: me\r\nX-Two: a\r\n"
            "X-Two: b\r\nCookie: s=1; t=2\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"
            '{"a":1}'
        )
        with raw(url.url, request.encode()) as connection:
            runtime = Runtime(by_hand.runtime_api)
            event = runtime.next()
            runtime.respond(b'"ok"')
            until(connection, b"ok")
        port = url.url.rsplit(":", 1)[1]
    context = event["requestContext"]
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context.pop("time"))
    assert abs(context.pop("timeEpoch") / 1000 - time.time()) < 60
    assert re.fullmatch(r"[0-9a-f-]{36}", context.pop("requestId"))
    assert event["headers"].pop("x-amzn-trace-id").startswith("Root=1-")
    assert list(event) == [
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "cookies",
        "headers",
        "queryStringParameters",
        "requestContext",
        "body",
        "isBase64Encoded",
    ]
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/chat/a%20b",
        "rawQueryString": "x=1&y=a%26b&x=2",
        "cookies": ["s=1", "t=2"],
        "headers": {
            "host": "fn.example",
            "user-agent": "me",
            "x-two": "a,b",
            "content-type": "application/json",
            "content-length": "7",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": port,
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"x": "1,2", "y": "a&b"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abcdefghij",
            "domainName": "abcdefghij.lambda-url.us-east-1.on.aws",
            "domainPrefix": "abcdefghij",
            "http": {
                "method": "POST",
                "path": "/chat/a%20b",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "me",
            },
            "routeKey": "$default",
            "stage": "$default",
        },
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


def test_a_request_without_a_body_has_none_and_binary_is_base64(by_hand: Function) -> None:
    def play() -> None:
        runtime = Runtime(by_hand.runtime_api)
        for _ in range(2):
            event = runtime.next()
            seen = [event.get("body", "none"), event["isBase64Encoded"]]
            runtime.respond(json.dumps({"seen": seen}).encode())

    playing = threading.Thread(target=play)
    playing.start()
    with FunctionUrl(by_hand, "BUFFERED") as url:
        assert httpx.get(url.url).json() == {"seen": ["none", False]}
        assert httpx.post(url.url, content=b"\0\xff").json() == {"seen": ["AP8=", True]}
    playing.join()


def test_the_response_is_byte_for_byte_as_captured(by_hand: Function) -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with FunctionUrl(by_hand, "RESPONSE_STREAM") as url, raw(url.url, request) as connection:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        metadata = {
            "statusCode": 206,
            "headers": {"Content-Type": "application/x-owned-stream", "X-Owned": "stream"},
            "cookies": ["s=1; Path=/", "t=2; HttpOnly"],
        }
        stream = runtime.stream(metadata=metadata).write(b"A\0\xff\n")
        head = until(connection, b"4\r\nA\0\xff\n\r\n")
        stream.write(b"rest").end()
        body = until(connection, b"\0never")
    lines = head.decode("latin-1").split("\r\n")
    shapes = [
        r"HTTP/1.1 206 Partial Content",
        r"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT",
        r"Content-Type: application/x-owned-stream",
        r"Transfer-Encoding: chunked",
        r"Connection: close",
        r"x-amzn-RequestId: [0-9a-f-]{36}",
        r"Set-Cookie: s=1; Path=/",
        r"Set-Cookie: t=2; HttpOnly",
        r"x-owned: stream",
        r"X-Amzn-Trace-Id: Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;"
        r"Lineage=1:[0-9a-f]{8}:0",
        r"",
    ]
    for line, shape in zip(lines, shapes, strict=False):
        assert re.fullmatch(shape, line), (line, shape)
    assert body == b"4\r\nrest\r\n0\r\n\r\n"


def test_each_chunk_arrives_before_the_next_is_written(by_hand: Function) -> None:
    with FunctionUrl(by_hand, "RESPONSE_STREAM") as url:
        streams: list[Any] = []

        def begin() -> None:
            runtime = Runtime(by_hand.runtime_api)
            runtime.next()
            streams.append(runtime.stream(metadata=SSE).write(b"data: 0\n\n"))

        beginning = threading.Thread(target=begin)
        beginning.start()
        with httpx.stream("GET", url.url, timeout=30) as response:
            beginning.join()
            for number, line in enumerate(each for each in response.iter_lines() if each):
                assert line == f"data: {number}"
                if number == 5:
                    streams[0].end()
                else:
                    streams[0].write(f"data: {number + 1}\n\n".encode())
        url.journal.wait(lambda journal: journal.last.happened("ended"))
        posted, passed = by_hand.journal.last.of("received"), url.journal.last.of("passed")
        payload = [record for record in posted if record.size == 9]
        assert len(payload) == len(passed) == 6
        for one, other in zip(payload, passed, strict=True):
            assert one.at <= other.at


# -------------------------------------------------------------------------------------------- failures


def test_a_failure_in_the_middle_is_a_clean_end(scripted: Scripted) -> None:
    with FunctionUrl(scripted(), "RESPONSE_STREAM") as url:
        body = json.dumps({"metadata": SSE, "chunks": ["half"], "then": "fail"}).encode()
        head = f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        got = everything(url.url, f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
    assert got.endswith(b"\r\n\r\n4\r\nhalf\r\n0\r\n\r\n")


def test_a_function_that_dies_in_the_middle_is_a_clean_end(scripted: Scripted) -> None:
    response = ask(scripted(), "RESPONSE_STREAM", {"metadata": SSE, "chunks": ["half"], "then": "die"})
    assert response.text == "half"


def test_a_timeout_in_the_middle_ends_as_it_is_told(scripted: Scripted) -> None:
    function = scripted(timeout=5, speed=10)
    stalled = {"metadata": SSE, "chunks": ["half"], "then": "stall"}
    assert ask(function, "RESPONSE_STREAM", stalled).text == "half"
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        ask(function, "RESPONSE_STREAM", stalled, on_timeout="cut")


def test_an_empty_stream_has_a_head_and_no_end(by_hand: Function) -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with FunctionUrl(by_hand, "RESPONSE_STREAM", speed=900) as url, raw(url.url, request) as connection:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        runtime.stream().end()
        assert until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
        began = time.monotonic()
        assert until(connection, b"0\r\n\r\n") == b"0\r\n\r\n"
        assert time.monotonic() - began >= 0.9


def test_an_empty_stream_ends_if_told_so(scripted: Scripted) -> None:
    function = scripted()
    assert ask(function, "RESPONSE_STREAM", {"chunks": []}, empty_stream_hangs=False).content == b""


def test_a_response_that_has_no_body_ends(scripted: Scripted) -> None:
    no_content = {"metadata": {"statusCode": 204}, "chunks": []}
    with FunctionUrl(scripted(), "RESPONSE_STREAM") as url:
        assert httpx.post(url.url, json=no_content, timeout=30).status_code == 204
        url.journal.wait(lambda journal: journal.last.happened("ended"))


@pytest.mark.parametrize("metadata", ["x", "{}", "[1]", '{"statusCode":1}' + "\0" * 8])
def test_a_prelude_that_is_none_is_a_502(scripted: Scripted, metadata: str) -> None:
    script = {"content_type": PRELUDE, "chunks": [metadata, "x"]}
    response = ask(scripted(), "RESPONSE_STREAM", script)
    assert (response.status_code, response.text) == (502, "Internal Server Error")


def test_a_content_length_that_is_wrong_is_a_cut(scripted: Scripted) -> None:
    metadata = {"headers": {"content-length": "3"}}
    with pytest.raises(httpx.RemoteProtocolError):
        ask(scripted(), "RESPONSE_STREAM", {"metadata": metadata, "chunks": ["a"]})


def test_the_function_runs_on_after_the_client_left(by_hand: Function) -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with FunctionUrl(by_hand, "RESPONSE_STREAM") as url:
        with raw(url.url, request) as connection:
            runtime = Runtime(by_hand.runtime_api)
            runtime.next()
            stream = runtime.stream(metadata=SSE).write(b"seen")
            until(connection, b"seen\r\n")
        url.journal.wait(lambda journal: journal.last.happened("left"))
        by_hand.journal.wait(lambda journal: journal.last.happened("left"))
        for _ in range(10):
            stream.write(b"unseen")
        assert b"202 Accepted" in stream.end()
    assert by_hand.journal.last.total("received") >= 64
    assert url.journal.last.total("passed") == 4


def test_a_function_that_is_busy_is_a_429(scripted: Scripted) -> None:
    with FunctionUrl(scripted(concurrency=1), "RESPONSE_STREAM") as url:
        stalled = {"metadata": SSE, "chunks": ["x"], "then": "stall"}
        with httpx.stream("POST", url.url, json=stalled, timeout=30) as response:
            assert next(response.iter_bytes()) == b"x"
            assert httpx.post(url.url, json={"return": 1}).status_code == 429


def test_a_function_that_is_not_there_is_a_502() -> None:
    with FunctionUrl("http://127.0.0.1:1", "RESPONSE_STREAM") as url:
        assert httpx.get(url.url).status_code == 502
    assert "no connection to http://127.0.0.1:1" in url.journal.last.of("failed")[0].detail


def test_a_request_that_is_too_large_is_a_413(by_hand: Function) -> None:
    with FunctionUrl(by_hand, "RESPONSE_STREAM") as url:
        for size in (6_291_557, 10_485_761):  # the function's limit, and one that nothing is invoked beyond
            assert httpx.post(url.url, content=b"x" * size, timeout=30).status_code == 413


def test_a_mode_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="mode is one of RESPONSE_STREAM, BUFFERED, not 'STREAM'"):
        FunctionUrl("http://127.0.0.1:1", "STREAM")  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ CORS

PREFLIGHT = {
    "Origin": "https://chat.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}


def test_a_preflight_is_answered_by_the_url(by_hand: Function) -> None:
    cors = Cors(allow_origins=("https://chat.example",), allow_headers=("Content-Type",), max_age=60)
    with FunctionUrl(by_hand, "RESPONSE_STREAM", cors=cors) as url:
        granted = httpx.options(url.url, headers=PREFLIGHT)
        refused = httpx.options(url.url, headers={**PREFLIGHT, "Origin": "https://evil.example"})
    assert (granted.status_code, granted.content) == (200, b"")
    assert granted.headers["access-control-allow-origin"] == "https://chat.example"
    assert granted.headers["access-control-allow-methods"] == "POST"
    assert granted.headers["access-control-allow-headers"] == "content-type"
    assert granted.headers["access-control-max-age"] == "60"
    assert (refused.status_code, refused.content) == (200, b"")
    assert not [name for name in refused.headers if name.startswith("access-control-")]
    assert len(by_hand.journal) == 0


@pytest.mark.parametrize(
    ("cors", "what"),
    [
        (Cors(allow_methods=("GET",)), "method"),
        (Cors(allow_headers=("x-other",)), "header"),
    ],
    ids=["method", "header"],
)
def test_a_preflight_for_what_is_not_allowed_gets_nothing(by_hand: Function, cors: Cors, what: str) -> None:
    with FunctionUrl(by_hand, "RESPONSE_STREAM", cors=cors) as url:
        response = httpx.options(url.url, headers=PREFLIGHT)
    assert (response.status_code, "access-control-allow-origin" in response.headers) == (200, False), what


def test_responses_have_the_urls_grants_and_not_the_functions(scripted: Scripted) -> None:
    metadata = {"headers": {"Access-Control-Allow-Origin": "https://other.example", "x-mine": "1"}}
    cors = Cors(allow_credentials=True, expose_headers=("x-mine",))
    with FunctionUrl(scripted(), "RESPONSE_STREAM", cors=cors) as url:
        response = httpx.post(
            url.url,
            json={"metadata": metadata, "chunks": ["x"]},
            headers={"Origin": "https://chat.example"},
            timeout=30,
        )
    assert response.headers.get_list("access-control-allow-origin") == ["https://chat.example"]
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["access-control-expose-headers"] == "x-mine"
    assert response.headers["x-mine"] == "1"


def test_without_cors_an_options_request_is_the_functions(scripted: Scripted) -> None:
    with FunctionUrl(scripted(), "BUFFERED") as url:
        body = json.dumps({"return": {"statusCode": 204, "headers": {"Access-Control-Allow-Origin": "*"}}})
        headers = {**PREFLIGHT, "Content-Type": "application/json"}
        response = httpx.request("OPTIONS", url.url, content=body, headers=headers, timeout=30)
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (204, "*")
