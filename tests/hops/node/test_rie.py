"""AWS's Node runtime client in AWS's runtime interface emulator: what is lost there, and is not in ours."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.hops.gates import Gates
from tests.hops.rie import Rie, rie, split

Program = Callable[[str], list[str]]
STREAMING = "2021-11-15/functions/function/response-streaming-invocations"


def invoked(command: list[str], folder: Path) -> httpx.Response:
    with rie(command, folder) as function:
        return function.invoke({})


@pytest.fixture(autouse=True)
def open_gates(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    gates.open("1").open("2")
    monkeypatch.setenv("GATES", gates.url)


def test_a_stream_comes_in_one_piece(program: Program, tmp_path: Path) -> None:
    response = invoked(program("streaming"), tmp_path)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/octet-stream")
    prelude, body = split(response.content)
    assert prelude["statusCode"] == 206
    assert body.count(b"data: ") == 3


def test_a_failure_in_the_middle_is_lost(program: Program, tmp_path: Path) -> None:
    response = invoked(program("breaking"), tmp_path)
    assert response.status_code == 200
    assert split(response.content)[1] == b"data: 0\n\n"
    assert b"TypeError" not in response.content


def test_an_ordinary_handler_that_throws_is_told(program: Program, tmp_path: Path) -> None:
    told = json.loads(invoked(program("ordinaryThrowing"), tmp_path).content)
    assert (told["errorType"], told["errorMessage"]) == ("TypeError", "boom")


def test_it_has_no_streaming_endpoint(program: Program, tmp_path: Path) -> None:
    with rie(program("streaming"), tmp_path) as function:
        assert asked_to_stream(function).status_code == 404


def asked_to_stream(function: Rie) -> httpx.Response:
    base = function.url.removesuffix("2015-03-31/functions/function/invocations")
    return httpx.post(f"{base}{STREAMING}", json={}, timeout=60, trust_env=False)
