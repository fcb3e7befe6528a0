"""The data plane over real sockets: what a client gets for good requests and for all kinds of bad ones."""

import http.client
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest
from converse_emulator import Emulator, app, opening
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.http import head as request_head
from converse_emulator.http import inbound

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
STREAM = f"/model/{MODEL}/converse-stream"
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDTEST/20260101/us-east-1/bedrock/aws4_request, "
    "SignedHeaders=host, Signature=0"
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture(autouse=True)
def _forgotten(emulator: Emulator) -> Iterator[None]:
    yield
    emulator.reset()


def body(text: str = "Hi", **more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": [{"text": text}]}], **more}


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.getheaders()
        self.raw = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def text(self) -> str:
        messages = Decoder().feed(self.raw)
        payloads = [json.loads(each.payload) for each in messages]
        return "".join(each.get("delta", {}).get("text", "") for each in payloads)

    @property
    def error(self) -> tuple[int, str]:
        """Status and error name of a refusal; its shape is checked on the way."""
        assert [name for name, _ in self.headers][:6] == [
            "Date",
            "Content-Type",
            "Content-Length",
            "Connection",
            "x-amzn-RequestId",
            "x-amzn-ErrorType",
        ]
        assert list(self.json) == ["message"]
        assert "Traceback" not in self.json["message"]
        return self.status, dict(self.headers)["x-amzn-ErrorType"].partition(":")[0]


def ask(
    emulator: Emulator,
    path: str = STREAM,
    content: object = None,
    headers: dict[str, str] | None = None,
    method: str = "POST",
) -> Answer:
    address = emulator.endpoint_url.removeprefix("http://")
    with closing(http.client.HTTPConnection(address, timeout=30)) as connection:
        raw = content if isinstance(content, bytes) else json.dumps(content or body()).encode()
        connection.request(method, path, raw, headers or {})
        return Answer(connection.getresponse())


# ------------------------------------------------------------------------------------ good requests


def test_a_stream_has_the_real_headers_in_the_real_order(emulator: Emulator) -> None:
    emulator.play("Hello")
    answer = ask(emulator)
    assert answer.status == 200
    assert [name for name, _ in answer.headers] == [
        "Date",
        "Content-Type",
        "Transfer-Encoding",
        "Connection",
        "x-amzn-RequestId",
    ]
    assert dict(answer.headers)["Content-Type"] == "application/vnd.amazon.eventstream"
    assert answer.text == "Hello"


def test_converse_is_the_fold_of_the_same_events(emulator: Emulator) -> None:
    emulator.play("Hello")
    answer = ask(emulator, f"/model/{MODEL}/converse")
    assert answer.json["output"]["message"] == {"content": [{"text": "Hello"}], "role": "assistant"}
    assert emulator.journal.last.text_sent == "Hello"


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        quote(MODEL),
        quote("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0", safe=""),
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
    ],
)
def test_a_model_id_may_be_encoded_in_any_way(emulator: Emulator, model: str) -> None:
    emulator.play("Hello")
    assert ask(emulator, f"/model/{model}/converse-stream").text == "Hello"
    assert emulator.journal.last.model_id in (
        MODEL,
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
    )


def test_without_a_scenario_the_emulator_answers_by_itself(emulator: Emulator) -> None:
    first, again = ask(emulator, "/session/a" + STREAM), ask(emulator, "/session/a" + STREAM)
    assert first.text
    assert emulator.journal.last.chosen_by == "automatic"
    assert (emulator.journal.last.scenario, emulator.journal.last.seed) == (None, "0:a:automatic:2")
    assert again.status == 200


def test_the_same_seed_sends_the_same_bytes(emulator: Emulator) -> None:
    first = ask(emulator, "/session/a" + STREAM).raw
    emulator.reset()
    assert ask(emulator, "/session/a" + STREAM).raw == first
    with Emulator(seed=1) as other:
        assert ask(other, "/session/a" + STREAM).raw != first


@pytest.mark.parametrize(
    ("path", "headers", "prompt", "session"),
    [
        ("/session/a%20b" + STREAM, SIGNED, "[[session: marked]]", "a b"),
        (STREAM, SIGNED, "Hi [[session: marked]]", "marked"),
        (STREAM, SIGNED, "Hi", "AKIDTEST"),
        (STREAM, {"Authorization": "Bearer x"}, "Hi", "default"),
        (STREAM, {}, "Hi", "default"),
    ],
)
def test_a_request_has_its_session(
    emulator: Emulator, path: str, headers: dict[str, str], prompt: str, session: str
) -> None:
    emulator.session(session).play("For this session.")
    assert ask(emulator, path, body(prompt), headers).text == "For this session."
    assert emulator.journal.last.session == session


@pytest.mark.parametrize(
    ("path", "headers", "prompt", "by"),
    [
        ("/scenario/text/short-answer" + STREAM, {"x-converse-scenario": "no"}, "Hi", "path"),
        ("/session/a/scenario/text/short-answer" + STREAM, {}, "Hi", "path"),
        (STREAM, {"x-converse-scenario": "text/short-answer"}, "[[scenario: no]]", "header"),
        (STREAM, {}, "Hi [[scenario: text/short-answer]]", "marker"),
    ],
)
def test_a_request_names_its_scenario(
    emulator: Emulator, path: str, headers: dict[str, str], prompt: str, by: str
) -> None:
    assert ask(emulator, path, body(prompt), headers).text
    assert (emulator.journal.last.scenario, emulator.journal.last.chosen_by) == ("text/short-answer", by)


def test_the_journal_tells_the_whole_story(emulator: Emulator) -> None:
    emulator.session("AKIDTEST").play([{"text": "Hello there"}, {"throw": "throttlingException"}])
    ask(emulator, headers=SIGNED | {"User-Agent": "test/1", "amz-sdk-request": "attempt=2; max=3"})
    exchange = emulator.journal.wait()[-1]
    assert (exchange.operation, exchange.model_id) == ("ConverseStream", MODEL)
    assert (exchange.attempt, exchange.user_agent, exchange.status) == (2, "test/1", 200)
    assert (exchange.state, exchange.ended) == ("done", "finished")
    assert (exchange.text_sent, exchange.tokens_sent, exchange.tokens_unsent) == ("Hello there", 2, 0)
    assert exchange.request["body"] == body()
    assert [act.injected for act in exchange.acts][-2:] == [True, True]
    assert exchange.request["headers"]["authorization"] == "AWS4-HMAC-SHA256 [redacted]"


def test_speed_divides_every_moment() -> None:
    with Emulator(speed=1000) as fast:
        fast.play([{"wait": 60}, {"text": "Hello"}])
        assert ask(fast).text == "Hello"
        exchange = fast.journal.wait()[-1]
    assert exchange.acts[0].planned == pytest.approx(0.06)
    assert exchange.acts[0].actual >= 0.06
    assert exchange.ended_at is not None
    assert exchange.ended_at < 10


# ------------------------------------------------------------------------------------- bad requests


def test_a_violated_constraint_is_a_validation_exception_that_names_the_member(emulator: Emulator) -> None:
    answer = ask(emulator, content=body(inferenceConfig={"temperature": 7}))
    assert answer.error == (400, "ValidationException")
    assert "inferenceConfig.temperature" in answer.json["message"]
    exchange = emulator.journal.wait()[-1]
    assert (exchange.status, exchange.ended) == (400, "refused")


def test_an_invalid_request_does_not_use_up_what_is_armed(emulator: Emulator) -> None:
    emulator.play("Hello")
    assert ask(emulator, content={"messages": 1}).status == 400
    assert ask(emulator).text == "Hello"


def test_a_miss_is_a_validation_exception_that_says_why(emulator: Emulator) -> None:
    answer = ask(emulator, content=body("Hi [[scenario: text/shortanswer]]"))
    assert answer.error == (400, "ValidationException")
    assert "text/short-answer" in answer.json["message"]
    assert emulator.journal.wait()[-1].miss == answer.json["message"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b'{"a": NaN}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_serialization_exception(
    emulator: Emulator, content: bytes
) -> None:
    assert ask(emulator, content=content).error == (400, "SerializationException")
    assert emulator.journal.wait()[-1].ended == "refused"


def test_a_body_beyond_the_limit_is_refused_before_it_has_come(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "MOST_BYTES", 1000)
    monkeypatch.setattr(request_head, "LARGEST_BODY", 1000)
    assert ask(emulator, content=bytes(1001)).error == (413, "RequestTooLargeException")
    chunked = b"500\r\n" + bytes(0x500) + b"\r\n0\r\n\r\n"
    head = f"POST {STREAM} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    host, port = emulator.endpoint_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head + chunked)
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/", "/model/x", "/model/x/converse-streams", "/favicon.ico", "/_emulato"])
def test_an_unknown_path_is_an_unknown_operation(emulator: Emulator, path: str) -> None:
    answer = ask(emulator, path)
    assert answer.error == (404, "UnknownOperationException")
    assert path in answer.json["message"]
    assert len(emulator.journal) == 0


def test_a_wrong_method_is_not_allowed(emulator: Emulator) -> None:
    answer = ask(emulator, method="PUT")
    assert answer.error == (405, "UnknownOperationException")
    assert dict(answer.headers)["Allow"] == "POST"


def test_a_bug_is_an_internal_server_exception_and_logged(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the bug")

    monkeypatch.setattr(app, "compile_reply", broken)
    with caplog.at_level(logging.ERROR):
        answer = ask(emulator)
    assert answer.error == (500, "InternalServerException")
    assert "the bug" not in answer.json["message"]
    assert emulator.journal.wait()[-1].status == 500
    assert "ZeroDivisionError: the bug" in caplog.text


def test_a_bug_in_the_middle_of_an_answer_breaks_it_off_and_is_logged(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("the bug")

    monkeypatch.setattr(opening, "play", broken)
    emulator.play([{"wait": "1ms"}, {"text": "Hello"}])
    with caplog.at_level(logging.ERROR), pytest.raises(http.client.RemoteDisconnected):
        ask(emulator)
    assert "ZeroDivisionError: the bug" in caplog.text


def test_a_client_that_leaves_before_its_request_is_there_leaves_no_trace(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = emulator.endpoint_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"POST {STREAM} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
    emulator.play("Hello")
    assert ask(emulator).text == "Hello"
    assert len(emulator.journal) == 1
    assert caplog.record_tuples == []
