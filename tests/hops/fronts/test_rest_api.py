"""REST APIs: both modes with every kind of function, the rules of the output, the clocks."""

import json
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from converse_hops import Function, RestApi

from tests.hops.functions.by_hand import Runtime
from tests.hops.peers import raw, until

Scripted = Callable[..., Function]
SSE = {"statusCode": 200, "headers": {"content-type": "text/event-stream"}}
GET = b"GET /chat HTTP/1.1\r\nHost: x\r\n\r\n"


def ask(function: Function, mode: str, script: object, **options: Any) -> httpx.Response:
    """What a client of the API gets of a scripted function."""
    with RestApi(function, mode, **options) as api:  # type: ignore[arg-type]
        return httpx.post(f"{api.url}/chat", json=script, timeout=30)


# ----------------------------------------------------------- mode and format of the output: the whole matrix


def test_stream_with_the_format_streams(scripted: Scripted) -> None:
    response = ask(scripted(), "STREAM", {"metadata": SSE, "chunks": ["data: 1\n\n", "data: 2\n\n"]})
    assert (response.status_code, response.text) == (200, "data: 1\n\ndata: 2\n\n")
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["transfer-encoding"] == "chunked"


def test_stream_without_the_format_runs_the_function_and_is_a_500(scripted: Scripted) -> None:
    function = scripted()
    response = ask(function, "STREAM", {"chunks": ["data: 1\n\n"]})
    assert (response.status_code, response.json()) == (500, {"message": "Internal server error"})
    assert function.journal.last.total("received") == 9


def test_stream_with_an_ordinary_answer_is_a_500(scripted: Scripted) -> None:
    assert ask(scripted(), "STREAM", {"return": {"statusCode": 200, "body": "x"}}).status_code == 500


def test_stream_with_a_function_that_throws_is_a_500(scripted: Scripted) -> None:
    assert ask(scripted(), "STREAM", {"throw": "boom"}).status_code == 500


@pytest.mark.parametrize(
    ("mode", "invoke_api"), [("STREAM", "Invoke"), ("BUFFERED", "InvokeWithResponseStream")]
)
def test_the_other_invoke_api_is_not_supported(mode: Any, invoke_api: Any) -> None:
    with pytest.raises(ValueError, match=f"{mode} with {invoke_api} is not supported"):
        RestApi("http://127.0.0.1:1", mode, invoke_api=invoke_api)


def test_buffered_with_the_format_has_a_head_and_no_body(scripted: Scripted) -> None:
    response = ask(scripted(), "BUFFERED", {"metadata": SSE, "chunks": ["data: 1\n\n"]})
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "text/event-stream"


def test_buffered_with_an_ordinary_answer_is_a_classic_proxy(scripted: Scripted) -> None:
    answer = {
        "statusCode": 201,
        "headers": {"X-Mine": "1"},
        "multiValueHeaders": {"Y": ["a", "b"]},
        "body": "hi",
    }
    response = ask(scripted(), "BUFFERED", {"return": answer})
    assert (response.status_code, response.text) == (201, "hi")
    assert (response.headers["x-mine"], response.headers.get_list("y")) == ("1", ["a", "b"])
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ({"throw": "boom"}, 502),
        ({"return": "text"}, 502),
        ({"return": {"unknown": 1}}, 502),
        ({"return": {"statusCode": 200, "body": {"a": 1}}}, 502),
        ({"return": {"statusCode": 0}}, 502),
        ({"chunks": ["data: 1\n\n"]}, 500),
    ],
)
def test_buffered_with_anything_else_is_an_error(scripted: Scripted, script: object, status: int) -> None:
    response = ask(scripted(), "BUFFERED", script)
    assert (response.status_code, response.json()) == (status, {"message": "Internal server error"})


def test_stream_over_the_managed_python_runtime_is_a_500(tmp_path: Path) -> None:
    """What happens to everybody who forgets that Python's runtime cannot stream."""
    pytest.importorskip("awslambdaric")
    (tmp_path / "app.py").write_text(
        "def handler(event, context):\n    return {'statusCode': 200, 'body': 'hi'}\n"
    )
    command = [sys.executable, "-m", "awslambdaric", "app.handler"]
    with Function(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}) as function:
        assert ask(function, "STREAM", {}).status_code == 500
        response = ask(function, "BUFFERED", {})
    assert (response.status_code, response.text) == (200, "hi")


# --------------------------------------------------------------------------------- the rules of the output


def test_headers_and_multi_value_headers_merge(scripted: Scripted) -> None:
    metadata = {
        "headers": {"A": "1", "B": "lost"},
        "multiValueHeaders": {"b": ["x", "y"]},
        "cookies": ["s=1", "t=2"],
    }
    response = ask(scripted(), "STREAM", {"metadata": metadata, "chunks": ["x"]})
    assert response.status_code == 200
    assert response.headers["a"] == "1"
    assert response.headers.get_list("b") == ["x", "y"]
    assert response.headers.get_list("set-cookie") == ["s=1", "t=2"]


def test_a_content_length_is_kept(scripted: Scripted) -> None:
    metadata = {"headers": {"Content-Length": "2"}}
    response = ask(scripted(), "STREAM", {"metadata": metadata, "chunks": ["hi"]})
    assert response.headers["content-length"] == "2"
    assert "transfer-encoding" not in response.headers


@pytest.mark.parametrize(
    "chunks",
    [
        ['{"statusCode":200}' + "\0" * 7 + "x"],
        ["{}" + " " * 16_375, "\0" * 8],
        ["not json" + "\0" * 8],
        ['{"body":"x"}' + "\0" * 8],
        ["{}"],
    ],
    ids=["seven NULs", "beyond 16 KB", "no JSON", "a stranger", "no delimiter"],
)
def test_any_other_metadata_and_delimiter_are_a_500(scripted: Scripted, chunks: list[str]) -> None:
    assert ask(scripted(), "STREAM", {"chunks": chunks}).status_code == 500


def test_the_delimiter_may_come_in_pieces(scripted: Scripted) -> None:
    chunks = ['{"statusCo', 'de":201}\0', "\0" * 6, "\0hi", "!"]
    response = ask(scripted(), "STREAM", {"chunks": chunks, "every": 0.02})
    assert (response.status_code, response.text) == (201, "hi!")


# --------------------------------------------------------------------------------------------- the event


def test_the_event_is_of_format_1(by_hand: Function) -> None:
    request = (
        "POST /prod/chat?x=1&x=2 HTTP/1.1\r\nHost: api.example\r\nUser-Agent: me\r\nX-Two: a\r\nX-Two: b\r\n"
        'Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}'
    )
    with RestApi(by_hand, "STREAM") as api, raw(api.url, request.encode()) as connection:
        runtime = Runtime(by_hand.runtime_api)
        event = runtime.next()
        runtime.stream(metadata={}).end()
        until(connection, b"0\r\n\r\n")
        port = api.url.rsplit(":", 1)[1]
    context = event["requestContext"]
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context.pop("requestTime"))
    assert abs(context.pop("requestTimeEpoch") / 1000 - time.time()) < 60
    assert re.fullmatch(r"[0-9a-f-]{36}", context.pop("requestId"))
    assert re.fullmatch(r"[\w-]{15}=", context.pop("extendedRequestId"))
    trace = event["headers"].pop("X-Amzn-Trace-Id")
    assert event["multiValueHeaders"].pop("X-Amzn-Trace-Id") == [trace]
    identity = context.pop("identity")
    assert (identity.pop("sourceIp"), identity.pop("userAgent")) == ("127.0.0.1", "me")
    assert set(identity.values()) == {None}
    assert event == {
        "resource": "/chat",
        "path": "/chat",
        "httpMethod": "POST",
        "headers": {
            "Host": "api.example",
            "User-Agent": "me",
            "X-Two": "b",
            "Content-Type": "application/json",
            "Content-Length": "7",
            "X-Forwarded-For": "127.0.0.1",
            "X-Forwarded-Port": port,
            "X-Forwarded-Proto": "http",
        },
        "multiValueHeaders": {
            "Host": ["api.example"],
            "User-Agent": ["me"],
            "X-Two": ["a", "b"],
            "Content-Type": ["application/json"],
            "Content-Length": ["7"],
            "X-Forwarded-For": ["127.0.0.1"],
            "X-Forwarded-Port": [port],
            "X-Forwarded-Proto": ["http"],
        },
        "queryStringParameters": {"x": "2"},
        "multiValueQueryStringParameters": {"x": ["1", "2"]},
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "abc123",
            "resourcePath": "/chat",
            "httpMethod": "POST",
            "path": "/prod/chat",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainPrefix": "abcdefghij",
            "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "apiId": "abcdefghij",
        },
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    ("path", "told"), [("/prod", "/"), ("/prod/", "/"), ("/production", "/production"), ("/", "/")]
)
def test_the_stage_in_a_path_is_not_told(by_hand: Function, path: str, told: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with RestApi(by_hand, "BUFFERED") as api, raw(api.url, request) as connection:
        runtime = Runtime(by_hand.runtime_api)
        event = runtime.next()
        runtime.respond(b'{"body": "done"}')
        until(connection, b"done")
    assert event["path"] == told
    assert (event["queryStringParameters"], event["body"]) == (None, None)


# --------------------------------------------------------------------------------------------- the clocks


def stalling(function: Function, chunks: list[bytes]) -> None:
    """A runtime by hand that says so much and then nothing."""
    runtime = Runtime(function.runtime_api)
    runtime.next()
    stream = runtime.stream(metadata=SSE)
    for chunk in chunks:
        stream.write(chunk)
    function.journal.wait(lambda journal: journal.last.happened("left"))
    stream.close()


@pytest.mark.parametrize(("edge", "limit"), [(True, 30), (False, 300)])
def test_a_stream_without_a_byte_for_too_long_is_cut(by_hand: Function, edge: bool, limit: int) -> None:
    playing = threading.Thread(target=stalling, args=[by_hand, [b"half"]])
    playing.start()
    with RestApi(by_hand, "STREAM", edge=edge, speed=limit / 0.5) as api, raw(api.url, GET) as connection:
        until(connection, b"4\r\nhalf\r\n")
        began = time.monotonic()
        assert until(connection, b"never") == b""
        assert time.monotonic() - began >= 0.45
        assert [record.detail for record in api.journal.last.of("cut")] == [f"idle timeout of {limit} s"]
    playing.join()


def test_bytes_in_time_keep_a_stream_open(by_hand: Function) -> None:
    """Heartbeats: the stream lasts three times as long as it may be idle."""

    def play() -> None:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        stream = runtime.stream(metadata=SSE)
        for _ in range(15):
            stream.write(b": ping\n\n")
            time.sleep(0.1)
        stream.end()

    playing = threading.Thread(target=play)
    playing.start()
    with RestApi(by_hand, "STREAM", edge=True, speed=60) as api:
        response = httpx.get(api.url, timeout=30)
    playing.join()
    assert response.text.count("ping") == 15


def test_nothing_at_all_for_too_long_is_a_504(by_hand: Function) -> None:
    with RestApi(by_hand, "STREAM", edge=True, speed=300) as api:
        response = httpx.get(api.url, timeout=30)
    assert (response.status_code, response.json()) == (504, {"message": "Endpoint request timed out"})


def test_a_stream_ends_after_15_minutes_whatever_it_says(by_hand: Function) -> None:
    ended = threading.Event()

    def play() -> None:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        stream = runtime.stream(metadata=SSE)
        while not ended.wait(0.02):
            stream.write(b"x")
        stream.end()

    playing = threading.Thread(target=play)
    playing.start()
    began = time.monotonic()
    with RestApi(by_hand, "STREAM", speed=900) as api, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(api.url, timeout=30)
    assert time.monotonic() - began >= 0.95
    assert api.journal.last.of("cut")[0].detail == "stream duration of 900 s"
    ended.set()
    playing.join()


def test_a_buffered_integration_has_29_seconds(by_hand: Function) -> None:
    with RestApi(by_hand, "BUFFERED", speed=100) as api:
        response = httpx.get(api.url, timeout=30)
    assert (response.status_code, response.json()) == (504, {"message": "Endpoint request timed out"})
    assert response.elapsed.total_seconds() >= 0.28
    assert api.journal.last.of("cut")[0].detail == "integration timeout of 29 s"


def test_a_functions_timeout_cuts_the_stream(scripted: Scripted) -> None:
    stalled = {"metadata": SSE, "chunks": ["half"], "then": "stall"}
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        ask(scripted(timeout=5, speed=10), "STREAM", stalled)


def test_a_failure_in_the_middle_ends_as_it_is_told(scripted: Scripted) -> None:
    failing = {"metadata": SSE, "chunks": ["half"], "then": "fail"}
    function = scripted()
    assert ask(function, "STREAM", failing).text == "half"
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        ask(function, "STREAM", failing, on_failure="cut")


def test_each_chunk_arrives_before_the_next_is_written(by_hand: Function) -> None:
    with RestApi(by_hand, "STREAM") as api, raw(api.url, GET) as connection:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        stream = runtime.stream(metadata=SSE)
        for number in range(5):
            stream.write(b"%d" % number)
            until(connection, b"1\r\n%d\r\n" % number)
        stream.end()
        until(connection, b"0\r\n\r\n")


def test_bandwidth_is_10_mib_at_once_and_then_2_mib_a_second(by_hand: Function) -> None:
    def play() -> None:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        stream = runtime.stream(metadata=SSE)
        for _ in range(176):
            stream.write(b"x" * 65_536)
        stream.end()

    playing = threading.Thread(target=play)
    by_hand.pace = type(by_hand.pace)(100)  # the function's own bandwidth is lower
    playing.start()
    with RestApi(by_hand, "STREAM") as api:
        began = time.monotonic()
        assert len(httpx.get(api.url, timeout=60).content) == 11 * 1_048_576
        assert time.monotonic() - began >= 0.5 - 0.125
    playing.join()


def test_a_mode_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="mode is one of STREAM, BUFFERED, not 'RESPONSE_STREAM'"):
        RestApi("http://127.0.0.1:1", "RESPONSE_STREAM")  # type: ignore[arg-type]


def test_the_head_is_in_the_apis_order(by_hand: Function) -> None:
    with RestApi(by_hand, "STREAM") as api, raw(api.url, GET) as connection:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        runtime.stream(metadata={"headers": {"X-Mine": "1", "Content-Type": "text/plain"}}).end()
        head = until(connection, b"0\r\n\r\n").split(b"\r\n\r\n")[0].decode()
    assert [line.split(":")[0] for line in head.split("\r\n")] == [
        "HTTP/1.1 200 OK",
        "Date",
        "Content-Type",
        "Transfer-Encoding",
        "Connection",
        "x-amzn-RequestId",
        "x-amz-apigw-id",
        "X-Mine",
        "X-Amzn-Trace-Id",
    ]


def test_hops_stack_over_urls(scripted: Scripted) -> None:
    """As in different processes: nothing but the function's URL and name."""
    function = scripted(name="chat")
    with RestApi(function.url, "STREAM", function_name="chat") as api:
        script = {"metadata": SSE, "chunks": [json.dumps("x")]}
        assert httpx.post(api.url, json=script, timeout=30).text == '"x"'
