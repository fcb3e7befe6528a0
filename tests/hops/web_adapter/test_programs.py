"""The adapter as the program of a function, and with a web server behind it."""

import json
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from converse_emulator import Session
from converse_handler import Settings, create_app
from converse_hops import Function
from converse_hops.http.server import Incoming

from tests.hops.peers import Origin
from tests.hops.rie import rie, split
from tests.hops.web_adapter.conftest import Adapted

Adapt = Callable[..., Any]
Event = Callable[..., dict[str, Any]]
COMMAND = [sys.executable, "-m", "converse_emulator", "hop", "web-adapter", "--app", "some_app:app"]
STREAMING = [*COMMAND, "--invoke-mode", "response_stream"]
HERE = Path(__file__).parent


async def serve(incoming: Incoming) -> None:
    """A web server of any kind."""
    body = await incoming.body(1000)
    match incoming.target:
        case "/cut":
            await incoming.head(200, [("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked")])
            await incoming.send(b"half")
            incoming.hang_up()
        case "/refuses":
            incoming.hang_up()
        case _:
            told = f"{incoming.method} {incoming.target} {body.decode()}"
            await incoming.answer(200, [("Content-Type", "text/plain"), ("X-Own", "1")], told.encode())


@pytest.fixture
def server() -> Iterator[str]:
    with Origin(serve) as origin:
        yield origin.url


def test_any_web_server_behind_it(adapt: Adapt, proxy: Event, server: str) -> None:
    adapted = adapt(server, invoke_mode="response_stream")
    prelude, body = split(b"".join(adapted.stream(proxy("/a b", "PUT", body="c"))))
    assert prelude["headers"]["x-own"] == "1"
    assert "transfer-encoding" not in prelude["headers"]
    assert body == b"PUT /a%20b c"


def test_a_server_that_breaks_off(adapt: Adapt, proxy: Event, server: str) -> None:
    adapted = adapt(server, invoke_mode="response_stream")
    _, body = split(b"".join(adapted.stream(proxy("/cut"))))
    assert body.startswith(b"halfLambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n")


def test_a_server_that_gives_no_response(adapt: Adapt, proxy: Event, server: str) -> None:
    error, body = adapt(server).invoke(proxy("/refuses"))
    assert error == "Unhandled"
    assert "without a response" in json.loads(body)["errorMessage"]


def test_it_is_the_program_of_a_function(proxy: Event) -> None:
    with Function(STREAMING, cwd=HERE) as function, closing(Adapted(function)) as adapted:
        chunks = adapted.stream(proxy("/stream"))
        assert json.loads(next(chunks))["statusCode"] == 200
        assert list(chunks) == [bytes(8), b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]


def test_the_invoke_mode_is_in_the_environment_too(proxy: Event) -> None:
    mode = {"AWS_LWA_INVOKE_MODE": "RESPONSE_STREAM"}
    with Function(COMMAND, cwd=HERE, env=mode) as function, closing(Adapted(function)) as adapted:
        assert list(adapted.stream(proxy("/stream")))[1] == bytes(8)


def test_a_start_up_that_fails_ends_the_program(proxy: Event) -> None:
    program = [*COMMAND[:-1], "nowhere:app"]
    with Function(program, cwd=HERE) as function, closing(Adapted(function)) as adapted:
        error, body = adapted.invoke(proxy("/stream"))
    assert error == "Unhandled"
    assert "exit status 2" in json.loads(body)["errorMessage"]


def test_lambdas_own_runtime_api_takes_it(proxy: Event) -> None:
    with rie(STREAMING, HERE) as function:
        prelude, body = split(function.invoke(proxy("/stream")).content)
    assert prelude["cookies"] == ["a=1", "b=2"]
    assert body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"


def test_lambdas_own_runtime_api_takes_what_is_collected(proxy: Event) -> None:
    with rie(COMMAND, HERE) as function:
        told = function.invoke(proxy("/stream")).json()
    assert told["body"] == "data: 0\n\ndata: 1\n\ndata: 2\n\n"


@pytest.fixture
def app(bedrock: Session) -> Iterator[Any]:
    """The reference handler's own application."""
    with closing(bedrock.client()) as client:
        yield create_app(Settings(first_byte_timeout=30), client)


@pytest.fixture
def chat(proxy: Event) -> dict[str, Any]:
    asked = json.dumps({"messages": [{"role": "user", "content": "hi"}]})
    headers = {"Content-Type": ["application/json"]}
    return proxy("/chat", body=asked, multiValueHeaders=headers)


def test_the_reference_handler_streams_through_it(
    adapt: Adapt, chat: Any, app: Any, bedrock: Session
) -> None:
    """Each piece arrives before the next one is let go: nothing on the way holds any back."""
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two "}, {"gate": "3"}, {"text": "three"}])
    with closing(adapt(app, invoke_mode="response_stream").stream(chat)) as chunks:
        read_until(chunks, b'"text":"one "')
        bedrock.open_gate("2")
        read_until(chunks, b'"text":"two "')
        bedrock.open_gate("3")
        assert b'"text":"three"' in read_until(chunks, b"[DONE]")


def test_the_switch_forgotten_nothing_comes_before_all_is_there(
    adapt: Adapt, chat: Any, app: Any, bedrock: Session
) -> None:
    bedrock.play("one two three")
    adapted = adapt(app)
    _, body = adapted.invoke(chat)
    assert json.loads(body)["body"].endswith("data: [DONE]\n\n")
    adapted.adapter.journal.wait(lambda journal: bool(journal.last.of("passed")))
    journal = adapted.adapter.journal.last
    assert len(journal.of("received")) > 5
    assert [record.size for record in journal.of("passed")] == [journal.total("received")]
    assert journal.of("passed")[0].at >= journal.of("received")[-1].at


def read_until(chunks: Generator[bytes], end: bytes) -> bytes:
    got = b""
    while end not in got:
        got += next(chunks)
    return got
