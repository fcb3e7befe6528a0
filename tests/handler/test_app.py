"""The handler over real sockets, with the emulator for Bedrock: what a browser sees, and what is left."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from converse_emulator import Session
from converse_handler.chat_request import MAX_BODY

Serve = Callable[..., str]
ASKED = {"messages": [{"role": "user", "content": "When does it renew?"}]}


def events_of(body: str) -> list[Any]:
    """The JSON of every event, and the sentinel."""
    datas = [line.removeprefix("data: ") for line in body.split("\n") if line.startswith("data: ")]
    return [data if data == "[DONE]" else json.loads(data) for data in datas]


def post(url: str, body: Any = ASKED, **headers: str) -> httpx.Response:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    with httpx.Client(trust_env=False, timeout=30) as client:
        return client.post(
            f"{url}/chat", content=content, headers={"content-type": "application/json", **headers}
        )


def get(url: str) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=30) as client:
        return client.get(url)


@contextmanager
def browser(url: str) -> Iterator[socket.socket]:
    """A connection on which the question was asked and nothing is read yet."""
    body = json.dumps(ASKED).encode()
    head = (
        f"POST /chat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    )
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        connection.sendall(f"{head}\r\n".encode() + body)
        yield connection


def read_until(connection: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        received = connection.recv(65536)
        assert received, f"it ended before {end!r}: {data!r}"
        data += received
    return data


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.005)


def no_bedrock_thread() -> bool:
    return not any(thread.name in ("bedrock", "tool") for thread in threading.enumerate())


def test_an_answer_byte_by_byte(serve: Serve, bedrock: Session) -> None:
    bedrock.play("Your subscription renews on 1 März. 🌍\n\ndata: [DONE]\n\n")
    response = post(serve())
    assert response.status_code == 200
    headers = response.headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert "content-length" not in headers
    assert "content-encoding" not in headers
    assert re.match(
        r'retry: 3000\nid: (msg_\w{32})-1\ndata: {"type":"message_start","id":"\1"}\n\n', response.text
    )
    assert response.text.endswith("\n\ndata: [DONE]\n\n")
    events = events_of(response.text)
    assert [event["type"] for event in events[:2]] == ["message_start", "content_block_start"]
    assert "".join(event["delta"]["text"] for event in events[2:-3]) == (
        "Your subscription renews on 1 März. 🌍\n\ndata: [DONE]\n\n"
    )
    assert events[-3] == {"type": "content_block_stop", "index": 0}
    assert events[-2]["type"] == "message_stop"
    assert events[-2]["stop_reason"] == "end_turn"
    assert response.text.count("id: ") == len(events) - 1
    until(no_bedrock_thread)


def test_compression_is_not_for_streams(serve: Serve, bedrock: Session) -> None:
    bedrock.play("Hi")
    assert "content-encoding" not in post(serve(), **{"accept-encoding": "gzip, deflate, br"}).headers


def test_headers_and_heartbeats_come_before_the_model_says_anything(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"gate": "go"}, {"text": "Hi"}])
    with browser(serve(heartbeat=0.05)) as connection:
        early = read_until(connection, b": ping\n\n")
        assert early.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"data:" not in early
        bedrock.open_gate("go")
        read_until(connection, b"data: [DONE]\n\n")


def test_every_piece_is_shown_before_the_next_one_is_sent(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two "}, {"gate": "3"}, {"text": "three"}])
    with browser(serve()) as connection:
        read_until(connection, b'"text":"one "')
        bedrock.open_gate("2")
        read_until(connection, b'"text":"two "')
        bedrock.open_gate("3")
        assert b'"text":"three"' in read_until(connection, b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("reply", "seen"),
    [
        ([{"wait": "forever"}], b"text/event-stream"),
        ([{"text": "Hi "}, {"wait": "forever"}], b'"text":"Hi "'),
        ([{"text": "x " * 2000, "every": "20ms"}], b'"text":"x "'),
    ],
    ids=["before the first byte", "in a silence", "in a flow"],
)
def test_a_browser_that_leaves_stops_bedrock_within_a_second(
    serve: Serve, bedrock: Session, reply: list[Any], seen: bytes
) -> None:
    bedrock.play(reply)
    url = serve()
    with browser(url) as connection:
        read_until(connection, seen)
        until(lambda: len(bedrock.journal) == 1)
    left_at = time.time()
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"
    assert exchange.ended_at is not None
    assert exchange.started_at + exchange.ended_at - left_at < 1.0
    assert exchange.tokens_sent < 1000
    until(no_bedrock_thread)
    metrics = get(f"{url}/metrics").text
    assert 'chat_ends_total{reason="client_left"} 1.0' in metrics
    assert "chat_open_streams 0.0" in metrics


def test_a_browser_that_leaves_while_a_tool_runs_stops_the_tool(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"tool_use": {"name": "slow_report", "input": {"seconds": 600}}}])
    with browser(serve(tool_timeout=600)) as connection:
        read_until(connection, b'"tool_start"')
    until(no_bedrock_thread)
    assert len(bedrock.journal) == 1


SHORT = {  # the one limit that a scenario is to run into; the others stay out of its way
    "timeouts/before-first-byte": {"first_byte_timeout": 0.5},
    "timeouts/between-bytes": {"between_bytes_timeout": 0.5},
    "timeouts/in-tool-input": {"between_bytes_timeout": 0.5},
    "timeouts/endless-drip": {"total_timeout": 3},
}


@pytest.mark.parametrize(
    ("scenario", "code", "partial"),
    [
        ("timeouts/before-first-byte", "first_byte_timeout", False),
        ("timeouts/between-bytes", "between_bytes_timeout", True),
        ("timeouts/endless-drip", "total_timeout", True),
        ("timeouts/in-tool-input", "between_bytes_timeout", True),
        ("truncation/clean-end", "stream_interrupted", True),
        ("truncation/clean-end-mid-frame", "stream_interrupted", True),
        ("truncation/empty", "stream_interrupted", False),
        ("truncation/after-tool-use", "stream_interrupted", True),
        ("resets/after-text", "stream_interrupted", True),
        ("resets/hangup-mid-frame", "stream_interrupted", True),
        ("resets/before-headers", "unavailable", False),
        ("corruption/message-crc", "stream_corrupted", True),
        ("corruption/prelude-crc", "stream_corrupted", True),
        ("corruption/first-frame", "stream_corrupted", False),
        ("exceptions/throttling", "throttled", True),
        ("exceptions/throttling-first", "throttled", False),
        ("exceptions/unmodelled", "internal", True),
        ("exceptions/leaky-message", "model_error", True),
        ("refusals/throttling", "throttled", False),
        ("refusals/leaky-message", "access_denied", False),
        ("refusals/expired-token", "authentication", False),
        ("refusals/model-timeout", "model_timeout", False),
        ("stop-reasons/malformed-tool-use", "malformed_output", True),
        ("stop-reasons/unknown", "model_error", True),
        ("tools/endless-rounds", "tool_rounds_exceeded", True),
    ],
)
def test_every_way_to_fail_has_one_end_and_leaves_nothing(
    serve: Serve, bedrock: Session, scenario: str, code: str, partial: bool
) -> None:
    url = serve(first_byte_timeout=1, between_bytes_timeout=1, total_timeout=3, backoff=0.001, tool_rounds=2)
    marked = {"messages": [{"role": "user", "content": f"[[scenario: {scenario}]] When?"}]}
    response = post(url, marked)
    events = events_of(response.text)
    assert events[-1] == "[DONE]"
    assert [event["type"] for event in events[:-1]].count("error") == 1
    failure = events[-2]
    assert (failure["code"], failure["partial"]) == (code, partial)
    assert "message_stop" not in response.text
    assert "arn:" not in response.text
    assert "123456789012" not in response.text
    exchanges = bedrock.journal.wait(1)
    sent = exchanges[-1].text_sent if len(exchanges) == 1 else "".join(each.text_sent for each in exchanges)
    shown = "".join(event["delta"]["text"] for event in events[:-1] if "delta" in event)
    assert sent.startswith(shown)
    until(no_bedrock_thread)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("not json", 400, "the body must be JSON"),
        ("[]", 400, "the body must be JSON"),
        ("{}", 400, "the body must be JSON"),
        ("[" * 100_000, 400, "the body must be JSON"),
        (b"\xff\xfe", 400, "the body must be JSON"),
        ({"messages": []}, 400, "at least one message"),
        ({"messages": "hi"}, 400, "at least one message"),
        ({"messages": ["hi"]}, 400, "messages[0] must be an object"),
        ({"messages": [{"role": "system", "content": "x"}]}, 400, "messages[0].role must be 'user'"),
        ({"messages": [{"role": "user", "content": " "}]}, 400, "messages[0].content must be a text"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, 400, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "x"}] * 2}, 400, "messages[1].role must be 'assistant'"),
        (
            {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]},
            400,
            "the last message must be the user's",
        ),
        ("x" * (MAX_BODY + 1), 413, f"larger than {MAX_BODY} bytes"),
    ],
)
def test_a_request_that_is_wrong_is_told_what_is_wrong(
    serve: Serve, bedrock: Session, body: Any, status: int, words: str
) -> None:
    response = post(serve(), body)
    assert response.status_code == status
    assert words in response.json()["error"]
    assert len(bedrock.journal) == 0


def test_only_json_is_taken(serve: Serve) -> None:
    response = post(serve(), **{"content-type": "text/plain"})
    assert response.status_code == 415
    assert response.json() == {"error": "the content-type must be application/json"}


def test_the_other_routes(serve: Serve) -> None:
    url = serve()
    assert get(f"{url}/health").json() == {"status": "ok"}
    assert get(f"{url}/metrics").headers["content-type"].startswith("text/plain")
    assert "chat_open_streams 0.0" in get(f"{url}/metrics").text
    assert get(f"{url}/").headers["content-type"].startswith("text/html")
    for name in ("chat.js", "chat.css"):
        assert get(f"{url}/static/{name}").status_code == 200
    assert get(f"{url}/chat").status_code == 405
    assert get(f"{url}/nowhere").status_code == 404
    assert get(f"{url}/static/../app.py").status_code == 404


def test_others_are_served_while_a_stream_waits(serve: Serve, bedrock: Session) -> None:
    bedrock.play([{"wait": "forever"}])
    url = serve()
    with browser(url) as connection:
        read_until(connection, b"text/event-stream")
        began = time.monotonic()
        for _ in range(10):
            get(f"{url}/health")
        assert time.monotonic() - began < 10
        assert "chat_open_streams 1.0" in get(f"{url}/metrics").text


def test_the_history_goes_to_bedrock(serve: Serve, bedrock: Session) -> None:
    bedrock.play("Hi")
    history = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
    ]
    post(serve(model_id="amazon.nova-micro-v1:0", max_tokens=99), {"messages": history})
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.model_id == "amazon.nova-micro-v1:0"
    body = exchange.request["body"]
    assert body["messages"] == [
        {"role": one["role"], "content": [{"text": one["content"]}]} for one in history
    ]
    assert body["inferenceConfig"] == {"maxTokens": 99}


def test_each_answer_is_one_line_of_the_log_without_its_text(
    serve: Serve, bedrock: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "converse_handler.chat")
    bedrock.play([{"text": "secret"}, {"throw": "throttlingException"}])
    post(serve(), {"messages": [{"role": "user", "content": "confidential"}]})
    until(lambda: any(record.name == "converse_handler.chat" for record in caplog.records))
    (line,) = [
        json.loads(record.message) for record in caplog.records if record.name == "converse_handler.chat"
    ]
    assert line["ended"] == "throttled"
    assert line["bedrock_calls"] == 1
    assert "throttlingException" in line["cause"]
    assert "secret" not in str(line)
    assert "confidential" not in str(line)
