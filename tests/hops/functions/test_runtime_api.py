"""The Runtime API, call by call."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from converse_hops import Function

from tests.hops.functions.by_hand import Runtime
from tests.hops.peers import everything, raw

INVOKE = "/2015-03-31/functions/function/invocations"


@contextmanager
def invoking(function: Function, event: object = None, **headers: str) -> Iterator[list[httpx.Response]]:
    """An invocation in the background; its response is in the list afterwards."""
    got: list[httpx.Response] = []

    def invoke() -> None:
        got.append(httpx.post(function.url + INVOKE, json=event or {}, headers=headers, timeout=30))

    thread = threading.Thread(target=invoke)
    thread.start()
    yield got
    thread.join()


def test_next_gives_the_event_and_what_is_known_of_the_invocation(by_hand: Function) -> None:
    context = {"x-amz-client-context": "e30=", "x-amzn-trace-id": "Root=1-2-3"}
    with invoking(by_hand, {"a": 1}, **context) as got:
        runtime = Runtime(by_hand.runtime_api)
        before = time.time()
        assert runtime.next() == {"a": 1}
        assert runtime.headers["content-type"] == "application/json"
        assert runtime.headers["lambda-runtime-client-context"] == "e30="
        assert runtime.headers["lambda-runtime-trace-id"] == "Root=1-2-3"
        assert runtime.headers["lambda-runtime-invoked-function-arn"] == by_hand.arn
        assert before + 890 < int(runtime.headers["lambda-runtime-deadline-ms"]) / 1000 < time.time() + 901
        assert runtime.respond(b'"done"') == (202, {"status": "OK"})
    assert got[0].json() == "done"
    assert got[0].headers["x-amzn-requestid"] == runtime.id


def test_next_waits_and_headers_without_a_value_are_not_sent(by_hand: Function) -> None:
    got: list[Any] = []
    runtime = Runtime(by_hand.runtime_api)
    waiting = threading.Thread(target=lambda: got.append(runtime.next()))
    waiting.start()
    time.sleep(0.1)
    assert got == []
    with invoking(by_hand, [1]):
        waiting.join()
        runtime.respond(b"{}")
    assert got == [[1]]
    assert "lambda-runtime-client-context" not in runtime.headers
    assert runtime.headers["lambda-runtime-trace-id"].startswith("Root=1-")


def test_a_dead_poller_swallows_nothing(by_hand: Function) -> None:
    for _ in range(3):
        poll = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"
        with raw(by_hand.url, poll):
            time.sleep(0.05)
    with invoking(by_hand, [1]) as got:
        runtime = Runtime(by_hand.runtime_api)
        assert runtime.next() == [1]
        runtime.respond(b"2")
    assert got[0].json() == 2


def test_invocations_are_handed_out_in_order_and_answered_in_any(by_hand: Function) -> None:
    first, second = Runtime(by_hand.runtime_api), Runtime(by_hand.runtime_api)
    with invoking(by_hand, 1) as one:
        assert first.next() == 1
        with invoking(by_hand, 2) as two:
            assert second.next() == 2
            second.respond(b'"two"')
        first.respond(b'"one"')
    assert (one[0].json(), two[0].json()) == ("one", "two")


def test_an_unknown_id_is_refused(by_hand: Function) -> None:
    runtime = Runtime(by_hand.runtime_api)
    runtime.id = "nonsense"
    refusal = (400, {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"})
    assert runtime.respond(b"{}") == refusal
    assert runtime.fail("Error", "x") == refusal


def test_a_second_response_is_refused(by_hand: Function) -> None:
    with invoking(by_hand):
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        runtime.respond(b"{}")
    status, refusal = runtime.respond(b"{}")
    assert (status, refusal["errorType"]) == (403, "InvalidStateTransition")


def test_a_response_mode_is_streaming_or_none(by_hand: Function) -> None:
    with invoking(by_hand) as got:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        assert runtime.respond(b"{}", {"Lambda-Runtime-Function-Response-Mode": "Streaming"}) == (
            400,
            {"errorMessage": "Invalid function response mode", "errorType": "InvalidFunctionResponseMode"},
        )
    assert got[0].headers["x-amz-function-error"] == "Unhandled"
    assert got[0].json()["errorType"] == "Runtime.InvalidResponseModeHeader"


def test_the_trailers_of_a_failure_may_be_announced_in_two_headers(by_hand: Function) -> None:
    head = (
        "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Lambda-Runtime-Function-Response-Mode: streaming\r\nTrailer: Lambda-Runtime-Function-Error-Type\r\n"
        "Trailer: Lambda-Runtime-Function-Error-Body\r\nTransfer-Encoding: chunked\r\n\r\n"
        "4\r\nhalf\r\n0\r\nLambda-Runtime-Function-Error-Type: Error\r\n"
        "Lambda-Runtime-Function-Error-Body: e30=\r\n\r\n"
    )
    with invoking(by_hand) as got:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        answer = everything(by_hand.url, head.replace("{id}", runtime.id).encode())
        assert answer.startswith(b"HTTP/1.1 202 Accepted\r\n")
    assert got[0].content == b"half"
    assert by_hand.journal.last.of("failed")[0].detail == "Error"


def test_a_truncated_response_is_told_to_the_runtime_and_ends_the_stream(by_hand: Function) -> None:
    with invoking(by_hand) as got:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        answer = runtime.stream().write(b"half").truncate()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(
        b'{"errorMessage":"HTTP request detected as truncated","errorType":"TruncatedHTTPRequest"}\n'
    )
    assert got[0].content == b"half"
    assert by_hand.journal.last.of("failed")[0].detail == "Runtime.TruncatedResponse"


def test_an_error_without_its_header_has_its_type_in_the_body(by_hand: Function) -> None:
    """As the Python runtime client sends it."""
    with invoking(by_hand) as got:
        runtime = Runtime(by_hand.runtime_api)
        runtime.next()
        body = json.dumps({"errorType": "Runtime.MarshalError", "errorMessage": "x", "stackTrace": []})
        assert runtime.post(f"invocation/{runtime.id}/error", body.encode())[0] == 202
    assert got[0].headers["x-amz-function-error"] == "Unhandled"
    assert by_hand.journal.last.of("failed")[0].detail == "Runtime.MarshalError"


def test_an_init_error_is_told_to_who_invoked(by_hand: Function) -> None:
    with invoking(by_hand) as got:
        by_hand.journal.wait(lambda journal: len(journal.last.of("received", "up")) == 1)
        told = b'{"errorType":"Runtime.ImportModuleError","errorMessage":"no app"}'
        assert Runtime(by_hand.runtime_api).post("init/error", told)[0] == 202
    assert got[0].content == told


def test_other_paths_are_unknown(by_hand: Function) -> None:
    assert httpx.get(f"{by_hand.url}/2018-06-01/runtime/nonsense").status_code == 404


@pytest.mark.parametrize("streaming", [True, False])
def test_a_runtime_by_hand_that_takes_too_long_has_failed(streaming: bool) -> None:
    with Function(timeout=3, speed=10) as function, invoking(function) as got:
        runtime = Runtime(function.runtime_api)
        runtime.next()
        stream = runtime.stream().write(b"half") if streaming else None
    assert got[0].elapsed.total_seconds() >= 0.29
    assert function.journal.last.of("cut")[0].detail == "function timeout of 3 s"
    if stream:
        assert got[0].content == b"half"
        stream.close()
    else:
        assert got[0].json() == {
            "errorType": "Sandbox.Timedout",
            "errorMessage": f"RequestId: {runtime.id} Error: Task timed out after 3.00 seconds",
        }
