"""The invoke APIs: byte for byte, and as boto3 sees them."""

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from converse_emulator.framing.eventstream import Decoder
from converse_hops import Function
from converse_hops.functions.invocation import Failure, known_error_type
from converse_hops.functions.invoke import invoke_complete, payload_chunk

from tests.hops.functions.by_hand import Runtime
from tests.hops.peers import everything, raw, until

Scripted = Callable[..., Function]
Client = Callable[[Function], Any]
STREAM = "/2021-11-15/functions/function/response-streaming-invocations"
INVOKE = "/2015-03-31/functions/function/invocations"


def request(path: str, body: bytes = b"{}", headers: str = "") -> bytes:
    framing = f"Content-Length: {len(body)}\r\nConnection: close"
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{framing}\r\n{headers}\r\n".encode() + body


def stream(client: Any, script: object) -> Any:
    return client.invoke_with_response_stream(FunctionName="function", Payload=json.dumps(script))


def payload(response: Any) -> bytes:
    chunks = (event.get("PayloadChunk", {"Payload": b""}) for event in response["EventStream"])
    return b"".join(chunk["Payload"] for chunk in chunks)


def remapped(response: Any) -> str:
    """The content type of the function's own response: botocore's member has the event stream's."""
    return str(response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-remapped-content-type"])


# ------------------------------------------------------------------------------------------- vectors


def test_the_frame_of_a_chunk_is_as_captured() -> None:
    assert payload_chunk(b"Hello world ").hex() == (
        "000000760000005a980e72ec0b3a6576656e742d7479706507000c5061796c6f61644368756e6b0d3a636f6e74656e742d74"
        "7970650700186170706c69636174696f6e2f6f637465742d73747265616d0d3a6d6573736167652d74797065070005657665"
        "6e7448656c6c6f20776f726c642033971fd8"
    )


def test_the_last_frame_is_as_captured() -> None:
    assert invoke_complete().hex() == (
        "00000066000000541f56c8690b3a6576656e742d7479706507000e496e766f6b65436f6d706c6574650d3a636f6e74656e74"
        "2d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b7d7006"
        "d467"
    )


@pytest.mark.parametrize(
    ("told", "passed_on"),
    [
        ("Runtime.ExitError", "Runtime.ExitError"),
        ("Function.MyOwn", "Function.MyOwn"),
        ("Function.my-own", "Function.Unknown"),
        ("Function.", "Function.Unknown"),
        ("Error", "Runtime.Unknown"),
        ("Runtime.X1", "Runtime.Unknown"),
        ("", "Runtime.Unknown"),
        (None, "Runtime.Unknown"),
    ],
)
def test_error_types_are_filtered(told: str | None, passed_on: str) -> None:
    assert known_error_type(told) == passed_on


# ------------------------------------------------------------------------------------------- streams


def test_a_stream_has_the_captured_head_and_a_frame_for_each_write(by_hand: Function) -> None:
    def play() -> None:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        stream = runtime.stream("text/event-stream")
        for chunk in (b"one", b"two"):
            stream.write(chunk)
            time.sleep(0.05)
        stream.end()

    playing = threading.Thread(target=play)
    playing.start()
    got = everything(by_hand.url, request(STREAM))
    playing.join()
    head, body = got.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    names = [line.split(":")[0] for line in lines[1:]]
    assert names == [
        "Date",
        "Content-Type",
        "Transfer-Encoding",
        "Connection",
        "x-amzn-RequestId",
        "X-Amz-Executed-Version",
        "x-amzn-remapped-content-type",
        "X-Amzn-Trace-Id",
    ]
    assert "Content-Type: application/vnd.amazon.eventstream" in lines
    assert "X-Amz-Executed-Version: $LATEST" in lines
    assert "x-amzn-remapped-content-type: text/event-stream" in lines
    frames = [payload_chunk(b"one"), payload_chunk(b"two"), invoke_complete()]
    assert body == b"".join(b"%x\r\n%b\r\n" % (len(frame), frame) for frame in frames) + b"0\r\n\r\n"


def test_boto3_reads_a_stream_while_it_is_posted(by_hand: Function, client: Client) -> None:
    """Each chunk is posted after the one before it has arrived: nothing on the way holds anything back."""
    streams: list[Any] = []

    def begin() -> None:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        streams.append(runtime.stream().write(b"0"))

    beginning = threading.Thread(target=begin)
    beginning.start()
    response = client(by_hand).invoke_with_response_stream(FunctionName="function")
    assert remapped(response) == "application/octet-stream"
    beginning.join()
    events = iter(response["EventStream"])
    for number in range(5):
        assert next(events)["PayloadChunk"]["Payload"] == str(number).encode()
        streams[0].write(str(number + 1).encode())
    assert next(events)["PayloadChunk"]["Payload"] == b"5"
    assert b"202 Accepted" in streams[0].end()
    assert next(events) == {"InvokeComplete": {}}
    assert list(events) == []
    passage = by_hand.journal.last
    assert [record.size for record in passage.of("received")] == [1] * 6
    for posted, passed in zip(passage.of("received"), passage.of("passed"), strict=True):
        assert posted.at <= passed.at


def test_an_empty_stream_is_a_lone_complete(scripted: Scripted, client: Client) -> None:
    response = stream(client(scripted()), {"chunks": []})
    assert list(response["EventStream"]) == [{"InvokeComplete": {}}]


def test_a_failure_in_the_stream_is_not_told(scripted: Scripted, client: Client) -> None:
    function = scripted()
    response = stream(client(function), {"chunks": ["half"], "then": "fail"})
    assert list(response["EventStream"]) == [{"PayloadChunk": {"Payload": b"half"}}, {"InvokeComplete": {}}]
    assert [record.detail for record in function.journal.last.of("failed")] == ["Error"]


def test_tell_errors_tells_it(scripted: Scripted, client: Client) -> None:
    response = stream(client(scripted(tell_errors=True)), {"chunks": ["half"], "then": "fail"})
    complete = list(response["EventStream"])[-1]["InvokeComplete"]
    assert complete["ErrorCode"] == "Runtime.Unknown"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "boom"


def test_a_failure_before_the_stream_comes_as_payload(scripted: Scripted, client: Client) -> None:
    response = stream(client(scripted()), {"throw": "boom"})
    assert remapped(response) == "application/json"
    assert json.loads(payload(response)) == {
        "errorType": "Error",
        "errorMessage": "boom",
        "trace": ["at /var/task/app.js"],
    }


def test_an_ordinary_response_is_one_chunk(scripted: Scripted, client: Client) -> None:
    response = stream(client(scripted()), {"return": {"a": 1}})
    assert remapped(response) == "application/json"
    assert payload(response) == b'{"a": 1}'


def test_the_log_comes_when_it_is_asked_for(scripted: Scripted, client: Client) -> None:
    function = scripted()
    script = {"FunctionName": "function", "Payload": '{"chunks": ["x"]}', "LogType": "Tail"}
    streamed = list(client(function).invoke_with_response_stream(**script)["EventStream"])[-1]
    whole = client(function).invoke(**script)
    for log in (streamed["InvokeComplete"]["LogResult"], whole["LogResult"]):
        start, printed, end, report = base64.b64decode(log).decode().splitlines()
        assert start.startswith("START RequestId: ")
        assert printed == "performing ['chunks']"
        assert end.startswith("END RequestId: ")
        assert "Billed Duration: " in report


# ------------------------------------------------------------------------------------------- whole


def test_invoke_gives_the_whole_answer(scripted: Scripted, client: Client) -> None:
    response = client(scripted()).invoke(FunctionName="function", Payload='{"return": [1, 2]}')
    assert response["StatusCode"] == 200
    assert response["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in response
    assert response["Payload"].read() == b"[1, 2]"
    assert response["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/json"


def test_invoke_joins_a_stream_and_says_nothing_of_its_failure(scripted: Scripted, client: Client) -> None:
    script = {"metadata": {"statusCode": 201}, "chunks": ["a", "b"], "then": "fail"}
    response = client(scripted()).invoke(FunctionName="function", Payload=json.dumps(script))
    assert response["Payload"].read() == b'{"statusCode": 201}' + bytes(8) + b"ab"
    assert "FunctionError" not in response
    assert response["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/octet-stream"


def test_invoke_tells_a_failure(scripted: Scripted, client: Client) -> None:
    response = client(scripted()).invoke(FunctionName="function", Payload='{"throw": "boom"}')
    assert response["FunctionError"] == "Unhandled"
    assert json.loads(response["Payload"].read())["errorMessage"] == "boom"


def test_an_asynchronous_call_keeps_nobody_waiting(scripted: Scripted, client: Client) -> None:
    function = scripted()
    lambda_ = client(function)  # over one connection
    slow = json.dumps({"chunks": ["x"], "every": 0.5})
    began = time.monotonic()
    lambda_.invoke(FunctionName="function", Payload=slow, InvocationType="Event")
    assert lambda_.invoke(FunctionName="function", InvocationType="DryRun")["StatusCode"] == 204
    assert not function.journal[0].happened("ended")
    function.journal.wait(lambda journal: journal[0].happened("ended"))
    assert time.monotonic() - began >= 0.5


def test_an_asynchronous_call_is_accepted_and_runs(scripted: Scripted, client: Client) -> None:
    function = scripted()
    response = client(function).invoke(
        FunctionName="function", Payload='{"return": 1}', InvocationType="Event"
    )
    assert response["StatusCode"] == 202
    function.journal.wait(lambda journal: journal.last.total("received") == 1)
    assert client(function).invoke(FunctionName="function", InvocationType="DryRun")["StatusCode"] == 204


def test_a_response_beyond_6_mib_is_an_error(by_hand: Function, client: Client) -> None:
    answers: list[Any] = []

    def play() -> None:
        runtime = Runtime(by_hand.runtime_api)
        for size in (6_291_556, 6_291_557):
            runtime.next()
            answers.append(runtime.respond(b'"' + b"x" * (size - 2) + b'"'))

    playing = threading.Thread(target=play)
    playing.start()
    sizes = [client(by_hand).invoke(FunctionName="function") for _ in range(2)]
    playing.join()
    assert len(sizes[0]["Payload"].read()) == 6_291_556
    assert sizes[1]["FunctionError"] == "Unhandled"
    assert json.loads(sizes[1]["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"
    message = "Exceeded maximum allowed payload size (6291556 bytes)."
    assert answers == [
        (202, {"status": "OK"}),
        (413, {"errorMessage": message, "errorType": "RequestEntityTooLarge"}),
    ]


# ------------------------------------------------------------------------------------------- refusals


def test_names_and_arns_of_the_function_are_known(scripted: Scripted, client: Client) -> None:
    function = scripted(name="chat")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:chat"
    for name in ("chat", arn, "123456789012:function:chat", f"{arn}:$LATEST"):
        assert client(function).invoke(FunctionName=name, Payload='{"return": 1}')["StatusCode"] == 200
    with pytest.raises(
        client(function).exceptions.ResourceNotFoundException, match="Function not found: other"
    ):
        client(function).invoke(FunctionName="other")


def test_an_event_that_is_no_json_is_refused(by_hand: Function, client: Client) -> None:
    with pytest.raises(client(by_hand).exceptions.InvalidRequestContentException, match="Could not parse"):
        client(by_hand).invoke(FunctionName="function", Payload="{")


def test_an_event_that_is_too_large_is_refused(by_hand: Function, client: Client) -> None:
    with pytest.raises(client(by_hand).exceptions.RequestTooLargeException, match="must be smaller"):
        client(by_hand).invoke(FunctionName="function", Payload='"' + "x" * 6_291_556 + '"')


def test_nothing_else_is_served(by_hand: Function) -> None:
    assert everything(by_hand.url, request("/nowhere")).startswith(b"HTTP/1.1 404 Not Found\r\n")


# ------------------------------------------------------------------------------------------- limits


def test_the_function_runs_on_after_the_client_left(by_hand: Function) -> None:
    with raw(by_hand.url, request(STREAM)) as connection:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        stream = runtime.stream().write(b"seen")
        until(connection, payload_chunk(b"seen") + b"\r\n")
    by_hand.journal.wait(lambda journal: journal.last.happened("left"))
    for _ in range(20):
        stream.write(b"unseen")
    assert b"202 Accepted" in stream.end()
    passage = by_hand.journal.last
    by_hand.journal.wait(lambda _: passage.happened("ended"))
    assert (passage.total("received"), passage.total("passed"), passage.held()) == (124, 4, 120)


def test_bandwidth_is_6_mib_at_once_and_then_2_mib_a_second(by_hand: Function, client: Client) -> None:
    def play() -> None:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        stream = runtime.stream()
        for _ in range(7 * 16):
            stream.write(b"x" * 65_536)
        stream.end()

    playing = threading.Thread(target=play)
    playing.start()
    response = client(by_hand).invoke_with_response_stream(FunctionName="function")
    assert len(payload(response)) == 7 * 1_048_576
    playing.join()
    passed = by_hand.journal.last.of("passed")
    assert passed[-1].at - passed[0].at >= 0.5 - 0.125


def test_a_stream_ends_after_200_mib_without_a_word(
    monkeypatch: pytest.MonkeyPatch, by_hand: Function, client: Client
) -> None:
    monkeypatch.setattr("converse_hops.functions.replies.MOST_STREAMED", 10)

    def play() -> None:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        stream = runtime.stream()
        for _ in range(5):
            stream.write(b"four")
        stream.end()

    playing = threading.Thread(target=play)
    playing.start()
    response = client(by_hand).invoke_with_response_stream(FunctionName="function")
    assert payload(response) == b"fourfourfo"
    playing.join()
    assert [record.detail for record in by_hand.journal.last.of("cut")] == ["payload of 200 MiB"]


def test_the_last_chunk_can_be_held_back() -> None:
    with Function(hold_last_chunk=True) as function, raw(function.url, request(STREAM)) as connection:
        runtime = Runtime(function.runtime_api)
        runtime.next()
        stream = runtime.stream().write(b"one")
        time.sleep(0.1)
        passage = function.journal.last
        assert (passage.total("received"), passage.total("passed")) == (3, 0)
        stream.write(b"two")
        until(connection, payload_chunk(b"one") + b"\r\n")
        stream.end()
        until(connection, b"0\r\n\r\n")
        assert passage.held() == 0


def test_failures_are_told_by_frames() -> None:
    (message,) = Decoder().feed(invoke_complete(Failure("Function.Mine", b"details"), b"log"))
    assert json.loads(message.payload) == {
        "ErrorCode": "Function.Mine",
        "ErrorDetails": "details",
        "LogResult": "bG9n",
    }
