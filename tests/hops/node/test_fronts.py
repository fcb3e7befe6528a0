"""Users' own Node functions behind a function URL and a REST API, over a plain connection as a browser's."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from converse_hops import Function, FunctionUrl, Hop, RestApi

from tests.hops.gates import Gates

Node = Callable[[str], Function]
ASKED = json.dumps({"prompt": "one"})


@contextmanager
def asked(front: Hop) -> Iterator[httpx.Response]:
    headers = {"content-type": "application/json"}
    with (
        front,
        httpx.Client(trust_env=False, timeout=60) as browser,
        browser.stream("POST", f"{front.url}/chat", content=ASKED, headers=headers) as response,
    ):
        yield response


STREAMING: dict[str, Callable[[Function], Hop]] = {
    "function URL": lambda function: FunctionUrl(function, "RESPONSE_STREAM"),
    "REST API": lambda function: RestApi(function, "STREAM"),
}
BUFFERED: dict[str, Callable[[Function], Hop]] = {
    "function URL": lambda function: FunctionUrl(function, "BUFFERED"),
    "REST API": lambda function: RestApi(function, "BUFFERED"),
}


@pytest.fixture(params=STREAMING)
def streaming(request: Any) -> Callable[[Function], Hop]:
    return STREAMING[request.param]


@pytest.fixture(params=BUFFERED)
def buffered(request: Any) -> Callable[[Function], Hop]:
    return BUFFERED[request.param]


def test_each_event_arrives_before_the_next_one_is_let_go(node: Node, streaming: Any, gates: Gates) -> None:
    with asked(streaming(node("streaming"))) as response:
        assert response.status_code == 206
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["set-cookie"] == "a=b"
        pieces = response.iter_raw()
        got = b""
        for number in range(3):
            while b"data: %d\n\n" % number not in got:
                got += next(pieces)
            gates.open(str(number + 1))
        assert b"".join(pieces) == b""
    assert got == b"id: 0\ndata: 0\n\nid: 1\ndata: 1\n\nid: 2\ndata: 2\n\n"


def test_hono_streams(node: Node, streaming: Any, gates: Gates) -> None:
    with asked(streaming(node("hono"))) as response:
        assert response.headers["content-type"] == "text/event-stream"
        pieces = response.iter_raw()
        got = b""
        while b"data: one\n" not in got:
            got += next(pieces)
        assert b"two" not in got
        gates.open("1")
        assert b"data: two\n" in b"".join(pieces)


def test_a_failure_in_the_middle_looks_like_an_end(node: Node, streaming: Any, gates: Gates) -> None:
    gates.open("1")
    with asked(streaming(node("breaking"))) as response:
        assert b"".join(response.iter_raw()) == b"data: 0\n\n"  # and nothing is raised


def test_the_switch_forgotten_there_is_a_head_and_no_body(node: Node, buffered: Any, gates: Gates) -> None:
    gates.open("1").open("2")
    with asked(buffered(node("streaming"))) as response:
        assert response.status_code == 206
        assert response.headers["content-type"] == "text/event-stream"
        assert response.read() == b""


def test_the_wrapper_forgotten_a_function_url_shows_the_literal_answer(node: Node) -> None:
    with asked(FunctionUrl(node("ordinary"), "RESPONSE_STREAM")) as response:
        assert response.status_code == 200  # not 206
        assert response.headers["content-type"] == "application/json"
        assert json.loads(response.read())["statusCode"] == 206


def test_the_wrapper_forgotten_a_rest_api_answers_500(node: Node) -> None:
    with asked(RestApi(node("ordinary"), "STREAM")) as response:
        assert response.status_code == 500


def test_a_function_url_shows_the_stack_of_an_ordinary_handler(node: Node) -> None:
    with asked(FunctionUrl(node("ordinaryThrowing"), "RESPONSE_STREAM")) as response:
        assert response.status_code == 200
        assert "functions.mjs" in response.read().decode()
