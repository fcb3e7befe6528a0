"""The function: what it makes of an event, in virtual time; and the process, at a Runtime API."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest
from converse_emulator import Session
from converse_handler import sse
from converse_handler.lambda_runtime import MARGIN, Function
from converse_handler.runtime_api import Failure, Invocation
from converse_handler.settings import Settings

from tests.handler.peers import peer

Virtually = Callable[[Coroutine[Any, Any, Any]], Any]
ASKED = {"messages": [{"role": "user", "content": "hi"}]}


def posted(body: Any = ASKED, **members: Any) -> dict[str, Any]:
    """The proxy event of `POST /chat`."""
    headers = {"Content-Type": "application/json"}
    event = {"httpMethod": "POST", "path": "/chat", "headers": headers, "body": json.dumps(body)}
    return {**event, **members}


class Response:
    """A streamed response that keeps what it is given; `breaks` is raised by the first write."""

    def __init__(self, prelude: Mapping[str, Any], breaks: Exception | None) -> None:
        self.prelude, self._breaks = prelude, breaks
        self.body: list[tuple[float, bytes]] = []
        self.ended: tuple[Failure | None] | None = None
        self.closed = False

    async def write(self, data: bytes) -> None:
        if self._breaks:
            raise self._breaks
        self.body.append((asyncio.get_running_loop().time(), data))

    async def end(self, failure: Failure | None = None) -> None:
        self.ended = (failure,)

    def close(self) -> None:
        self.closed = True


class Lambda:
    """What the function does to its invocation."""

    def __init__(self, breaks: Exception | None = None) -> None:
        self._breaks = breaks
        self.failed: Failure | None = None
        self.response: Response | None = None

    async def respond(self, id: str, prelude: Mapping[str, Any]) -> Response:
        assert id == "4f96fa37"
        self.response = Response(prelude, self._breaks)
        return self.response

    def fail(self, id: str, failure: Failure) -> None:
        assert id == "4f96fa37"
        self.failed = failure


@pytest.fixture
def invoke(virtually: Virtually, timed_tools: Any) -> Callable[..., Lambda]:
    """Invoke the function in virtual time: `invoke(event, model, seconds=…, breaks=…, **settings)`."""

    def run(
        event: Any, model: Any, *, seconds: float = 900, breaks: Exception | None = None, **settings: Any
    ) -> Lambda:
        lambda_: Any = Lambda(breaks)

        async def main() -> None:
            function = Function(lambda_, model, Settings(**settings), timed_tools())
            await function.respond(Invocation("4f96fa37", event, time.time() + seconds, ""))

        virtually(main())
        assert isinstance(lambda_, Lambda)
        return lambda_

    return run


def test_an_answer_is_the_body_of_the_asgi_response(invoke: Any, scripted: Any, says: Any) -> None:
    response = invoke(posted(), scripted(says.answer("Hi"))).response
    assert response.prelude == {
        "statusCode": 200,
        "headers": {name.decode(): value.decode() for name, value in sse.HEADERS},
    }
    blocks = [data for _, data in response.body]
    assert re.match(rb'retry: 3000\nid: msg_\w+-1\ndata: {"type":"message_start"', blocks[0])
    assert b'"text":"Hi"' in b"".join(blocks)
    assert blocks[-1] == sse.DONE
    assert response.ended == (None,)
    assert response.closed


def test_the_prelude_and_heartbeats_come_before_the_model_says_anything(
    invoke: Any, scripted: Any, says: Any
) -> None:
    model = scripted([20.0, *says.answer("Hi")])
    response = invoke(posted(), model, heartbeat=8, first_byte_timeout=30).response
    assert response.body[:2] == [(8.0, sse.HEARTBEAT), (16.0, sse.HEARTBEAT)]
    assert response.body[2][0] == 20.0


def test_an_answer_ends_before_lambda_would_end_it(invoke: Any, scripted: Any, says: Any) -> None:
    model = scripted([says.start, says.text("Hi"), 60.0])
    response = invoke(posted(), model, seconds=10, between_bytes_timeout=60).response
    *_, (at, error), (_, done) = response.body
    assert json.loads(error.partition(b"data: ")[2])["code"] == "total_timeout"
    assert done == sse.DONE
    assert 10 - MARGIN - 1 < at <= 10 - MARGIN
    assert response.ended == (None,)
    assert model.calls[0].closed_at == at


def test_a_deadline_that_has_all_but_passed_is_told_too(invoke: Any, scripted: Any, says: Any) -> None:
    response = invoke(posted(), scripted([5.0, *says.answer("Hi")]), seconds=MARGIN / 2).response
    assert b'"code":"total_timeout"' in response.body[-2][1]


def test_a_total_timeout_that_is_shorter_holds(invoke: Any, scripted: Any, says: Any) -> None:
    model = scripted([says.start, 60.0])
    response = invoke(posted(), model, total_timeout=4.0, between_bytes_timeout=60).response
    assert response.body[-2][0] == 4.0


@pytest.mark.parametrize(
    ("event", "status", "detail"),
    [
        (posted(path="/"), 404, "Not Found"),
        (posted(httpMethod="GET"), 405, "Method Not Allowed"),
        (posted(headers=None), 415, "the content-type must be application/json"),
        (posted({"messages": []}), 400, "messages must be a list of at least one message"),
        (posted(body="x" * 1_000_001), 413, "the body must not be larger than 1000000 bytes"),
    ],
)
def test_a_refusal_is_a_whole_response(
    invoke: Any, scripted: Any, event: Any, status: int, detail: str
) -> None:
    model = scripted([])
    response = invoke(event, model).response
    assert response.prelude["statusCode"] == status
    assert response.prelude["headers"]["content-type"] == "application/json"
    assert response.prelude["headers"].get("allow") == ("POST" if status == 405 else None)
    assert [json.loads(data) for _, data in response.body] == [{"error": detail}]
    assert response.ended == (None,)
    assert model.requests == []


def test_an_event_of_another_kind_fails_the_invocation(invoke: Any, scripted: Any) -> None:
    lambda_ = invoke({"Records": []}, scripted([]))
    assert lambda_.response is None
    assert lambda_.failed.type == "Function.UnknownEvent"
    assert "no HTTP request" in lambda_.failed.message


def test_what_breaks_after_the_first_byte_is_told_without_its_secrets(
    invoke: Any, scripted: Any, says: Any, caplog: pytest.LogCaptureFixture
) -> None:
    lambda_ = invoke(posted(), scripted(says.answer("Hi")), breaks=ValueError("arn:aws:secret"))
    assert lambda_.failed is None
    assert lambda_.response.ended == (Failure("Function.Failed", "the function failed; its log says why"),)
    assert lambda_.response.closed
    assert "arn:aws:secret" in caplog.text


COMMAND = [sys.executable, "-m", "converse_handler.lambda_runtime"]


def run(**environment: str) -> Any:
    """The process, to its end."""
    return subprocess.run(
        COMMAND, capture_output=True, text=True, env={**os.environ, **environment}, timeout=60, check=False
    )


def test_settings_that_are_wrong_are_told_to_lambda(bedrock: Session) -> None:  # noqa: ARG001
    with peer(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n", b"}") as lambda_:
        process = run(AWS_LAMBDA_RUNTIME_API=lambda_.address, CHAT_HEARTBEAT="soon")
    told = "CHAT_HEARTBEAT is 'soon'; allowed is a number of seconds above 0"
    assert (process.returncode, process.stderr) == (1, f"{told}\n")
    head, _, body = lambda_.request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\n")
    assert json.loads(body)["errorType"] == "Function.SettingsError"
    assert json.loads(body)["errorMessage"] == told


def test_a_runtime_api_that_is_gone_ends_the_process(bedrock: Session) -> None:  # noqa: ARG001
    with peer(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n", b"\r\n\r\n") as lambda_:
        process = run(AWS_LAMBDA_RUNTIME_API=lambda_.address)
    assert process.returncode == 1
    assert process.stderr == f"no Runtime API at {lambda_.address}: GET /invocation/next: 500 b''\n"


def test_outside_of_lambda_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_RUNTIME_API", raising=False)
    process = run()
    assert process.returncode == 2
    assert process.stderr == "AWS_LAMBDA_RUNTIME_API is not set; Lambda sets it, to HOST:PORT\n"
