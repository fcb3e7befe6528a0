"""Fronts over AWS's own runtime interface emulator, which collects every response: a real hop that holds."""

import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from converse_hops import FunctionUrl, HttpApi, RestApi

from tests.hops.rie import INVOKE, rie

SCRIPTED = Path(__file__).parents[1] / "functions" / "scripted_runtime.py"
SSE = {
    "metadata": {"headers": {"content-type": "text/event-stream"}},
    "chunks": ["a", "b", "c"],
    "every": 0.2,
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """Its URL, as a front takes it."""
    with rie([sys.executable, str(SCRIPTED)]) as running:
        yield running.url.removesuffix(INVOKE).rstrip("/")


def test_a_stream_comes_all_at_once(emulator: str) -> None:
    with HttpApi(emulator) as api, httpx.stream("POST", api.url, json=SSE, timeout=60) as response:
        moments = [time.monotonic() for _ in response.iter_bytes(1)]
    assert response.headers["content-type"] == "text/event-stream"
    assert len(moments) == 3
    assert all(later - earlier < 0.15 for earlier, later in itertools.pairwise(moments))


def test_a_buffered_url_has_a_head_and_no_body(emulator: str) -> None:
    with FunctionUrl(emulator, "BUFFERED") as url:
        response = httpx.post(url.url, json=SSE, timeout=60)
    assert (response.headers["content-type"], response.content) == ("text/event-stream", b"")


def test_a_buffered_rest_api_has_a_head_and_no_body(emulator: str) -> None:
    with RestApi(emulator, "BUFFERED") as api:
        response = httpx.post(api.url, json=SSE, timeout=60)
    assert (response.headers["content-type"], response.content) == ("text/event-stream", b"")


def test_a_url_that_streams_has_nothing_to_ask(emulator: str) -> None:
    """It knows no InvokeWithResponseStream."""
    with FunctionUrl(emulator, "RESPONSE_STREAM") as url:
        assert httpx.post(url.url, json=SSE, timeout=60).status_code == 502
    assert url.journal.last.of("failed")[0].detail.startswith("404: ")


def test_an_ordinary_answer_passes(emulator: str) -> None:
    answer = {"return": {"statusCode": 201, "body": json.dumps({"a": 1})}}
    with FunctionUrl(emulator, "BUFFERED") as url:
        response = httpx.post(url.url, json=answer, timeout=60)
    assert (response.status_code, response.json()) == (201, {"a": 1})
