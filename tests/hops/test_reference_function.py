"""The reference handler as a function behind a function URL and a REST API, with the emulator for Bedrock."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from converse_emulator import Session
from converse_hops import Function, FunctionUrl, Hop, RestApi
from converse_hops.http.server import Incoming

from tests.hops.peers import Origin

COMMAND = [sys.executable, "-m", "converse_handler.lambda_runtime"]
ASKED = {"messages": [{"role": "user", "content": "When does it renew?"}]}
FRONTS: dict[str, Callable[[Function], Hop]] = {
    "function URL": lambda function: FunctionUrl(function, "RESPONSE_STREAM"),
    "REST API": lambda function: RestApi(function, "STREAM"),
}

Chat = Callable[..., str]


@pytest.fixture(params=FRONTS)
def chat(request: Any, bedrock: Session) -> Iterator[Chat]:  # noqa: ARG001 (the function's environment)
    """The URL of a chat: `chat(timeout=…, CHAT_HEARTBEAT=…)`."""
    with ExitStack() as stack:

        def start(timeout: float = 900, **settings: str) -> str:
            env = {"CHAT_FIRST_BYTE_TIMEOUT": "60", **settings}
            front = FRONTS[request.param](Function(COMMAND, env=env, timeout=timeout))
            return f"{stack.enter_context(front).url}/chat"

        yield start


@contextmanager
def asked(url: str, asked: Any = ASKED) -> Iterator[httpx.Response]:
    with (
        httpx.Client(trust_env=False, timeout=60) as browser,
        browser.stream("POST", url, json=asked) as response,
    ):
        yield response


def events(body: str) -> list[Any]:
    """The JSON of every event; the sentinel has to be there and is left out."""
    assert body.endswith("data: [DONE]\n\n")
    datas = [line.removeprefix("data: ") for line in body.split("\n") if line.startswith("data: ")]
    return [json.loads(data) for data in datas[:-1]]


def whole(url: str) -> list[Any]:
    with asked(url) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        return events(response.read().decode())


def read_until(pieces: Iterator[str], end: str) -> str:
    got = ""
    while end not in got:
        got += next(pieces)
    return got


def test_each_piece_is_shown_before_the_next_one_is_said(chat: Chat, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two "}, {"gate": "3"}, {"text": "three"}])
    with asked(chat()) as response:
        pieces = response.iter_text()
        read_until(pieces, '"text":"one "')
        bedrock.open_gate("2")
        read_until(pieces, '"text":"two "')
        bedrock.open_gate("3")
        assert '"text":"three"' in read_until(pieces, "[DONE]")
        assert "".join(pieces) == ""


def test_the_head_and_heartbeats_come_before_the_model_says_anything(chat: Chat, bedrock: Session) -> None:
    bedrock.play([{"gate": "go"}, {"text": "Hi"}])
    with asked(chat(CHAT_HEARTBEAT="0.05")) as response:
        pieces = response.iter_text()
        assert "data:" not in read_until(pieces, ": ping\n\n")
        bedrock.open_gate("go")
        assert events(read_until(pieces, "[DONE]\n\n"))[-1]["type"] == "message_stop"


def test_a_failure_in_the_stream_is_told(chat: Chat, bedrock: Session) -> None:
    bedrock.play([{"text": "Hello "}, {"throw": "throttlingException"}])
    last = whole(chat())[-1]
    assert (last["type"], last["code"], last["partial"]) == ("error", "throttled", True)


def test_a_stream_that_is_cut_is_told(chat: Chat, bedrock: Session) -> None:
    bedrock.play([{"text": "Hello "}, "hangup"])
    last = whole(chat())[-1]
    assert (last["type"], last["code"], last["partial"]) == ("error", "stream_interrupted", True)


def test_an_answer_that_is_truncated_says_so(chat: Chat, bedrock: Session) -> None:
    bedrock.play("one two three four five six seven eight nine ten")
    last = whole(chat(CHAT_MAX_TOKENS="3"))[-1]
    assert (last["stop_reason"], last["truncated"]) == ("max_tokens", True)


def test_a_tool_may_take_its_time(chat: Chat, bedrock: Session) -> None:
    bedrock.play([{"tool_use": {"name": "slow_report", "input": {"seconds": 1}}}])
    bedrock.play("It is ready.")
    with asked(chat(CHAT_HEARTBEAT="0.1")) as response:
        body = response.read().decode()
    _, _, pause = body.partition('"type":"tool_start"')
    pause, _, _ = pause.partition('"type":"tool_end"')
    assert pause.count(": ping\n\n") >= 2
    assert [event["type"] for event in events(body)][-1] == "message_stop"
    assert "ready" in body


def test_a_browser_that_leaves_changes_nothing(chat: Chat, bedrock: Session) -> None:
    """The function is not told, and Bedrock's tokens are made, sent and billed to the last."""
    bedrock.play([{"text": "x " * 200, "every": "5ms"}])
    with asked(chat()) as response:
        read_until(response.iter_text(), '"text":"x ')
    (exchange,) = bedrock.journal.wait(1, timeout=60)
    assert (exchange.ended, exchange.tokens_unsent) == ("finished", 0)
    assert exchange.text_sent == "x " * 200


def test_the_functions_own_time_ends_an_answer_in_good_order(chat: Chat, bedrock: Session) -> None:
    bedrock.play([{"text": "Hello "}, {"wait": "forever"}])
    last = whole(chat(timeout=6))[-1]
    assert (last["type"], last["code"]) == ("error", "total_timeout")


def test_a_refusal_keeps_its_status(chat: Chat) -> None:
    with asked(chat(), {"messages": []}) as response:
        assert response.status_code == 400
        assert response.headers["content-type"] == "application/json"
        assert json.loads(response.read()) == {"error": "messages must be a list of at least one message"}


def test_a_response_that_nobody_takes_does_not_end_the_function(bedrock: Session) -> None:
    """The Runtime API hangs up on the first one; the second invocation is answered as if nothing had been."""
    bedrock.play("Hello")
    bedrock.play("Hello")
    posted: list[bytes] = []
    done = threading.Event()
    event = {"httpMethod": "POST", "path": "/chat", "headers": {"content-type": "application/json"}}

    async def runtime_api(incoming: Incoming) -> None:
        if incoming.method == "GET" and len(posted) < 2:
            told = [
                ("Lambda-Runtime-Aws-Request-Id", str(len(posted))),
                ("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 60_000)),
            ]
            await incoming.answer(200, told, json.dumps({**event, "body": json.dumps(ASKED)}).encode())
        elif incoming.method == "GET":
            await incoming.left
        elif not posted:
            posted.append(b"")
            incoming.reset()
        else:
            posted.append(await incoming.body())
            await incoming.answer(202, [])
            done.set()

    with Origin(runtime_api) as origin:
        env = {**os.environ, "AWS_LAMBDA_RUNTIME_API": origin.url.removeprefix("http://")}
        with subprocess.Popen(COMMAND, env=env, stderr=subprocess.PIPE, text=True) as process:
            assert done.wait(60)
            process.kill()
            _, log = process.communicate()
    assert b'"text":"Hello"' in posted[1]
    assert "invocation 0 was answered in vain" in log
