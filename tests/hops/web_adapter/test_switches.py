"""Two switches, the adapter's and that of what is in front: what a browser gets if one is forgotten."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from converse_hops import Function, FunctionUrl, Hop, RestApi, WebAdapter

from tests.hops.web_adapter.some_app import App

Front = Callable[[Function], Hop]
URL_STREAMS: Front = lambda function: FunctionUrl(function, "RESPONSE_STREAM")  # noqa: E731
URL_BUFFERS: Front = lambda function: FunctionUrl(function, "BUFFERED")  # noqa: E731
API_STREAMS: Front = lambda function: RestApi(function, "STREAM")  # noqa: E731
API_BUFFERS: Front = lambda function: RestApi(function, "BUFFERED")  # noqa: E731
STREAM = "data: 0\n\ndata: 1\n\ndata: 2\n\n"


@pytest.fixture
def get() -> Iterator[Callable[..., httpx.Response]]:
    """What a browser gets of the application's stream."""
    with httpx.Client(trust_env=False, timeout=60) as browser:

        def run(front: Front, mode: Any) -> httpx.Response:
            with (
                Function() as function,
                front(function) as hop,
                WebAdapter(App(), function.runtime_api, invoke_mode=mode),
            ):
                return browser.post(f"{hop.url}/stream")

        yield run


@pytest.mark.parametrize("front", [URL_STREAMS, API_STREAMS], ids=["function URL", "REST API"])
def test_both_are_on(get: Any, front: Front) -> None:
    response = get(front, "response_stream")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.text == STREAM


@pytest.mark.parametrize("front", [URL_BUFFERS, API_BUFFERS], ids=["function URL", "REST API"])
def test_both_are_off_and_everything_comes_at_the_end(get: Any, front: Front) -> None:
    response = get(front, "buffered")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
    assert response.text == STREAM


@pytest.mark.parametrize("front", [URL_BUFFERS, API_BUFFERS], ids=["function URL", "REST API"])
def test_only_the_adapters_is_on_and_the_body_is_lost(get: Any, front: Front) -> None:
    response = get(front, "response_stream")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
    assert response.text == ""


def test_only_the_function_urls_is_on_and_the_browser_gets_lambdas_json(get: Any) -> None:
    response = get(URL_STREAMS, "buffered")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert json.loads(response.text)["body"] == STREAM


def test_only_the_rest_apis_is_on_and_it_fails(get: Any) -> None:
    assert get(API_STREAMS, "buffered").status_code == 500
