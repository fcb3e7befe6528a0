"""What a real browser makes of a function behind a URL and a REST API."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from converse_hops import Function, FunctionUrl, Hop, RestApi
from converse_hops.fronts.cors import Cors

pytestmark = pytest.mark.xdist_group("chromium")

Scripted = Callable[..., Function]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SSE = {"headers": {"content-type": "text/event-stream", "access-control-allow-origin": "*"}}

READ = """async ([url, script]) => {
    const seen = { pieces: [], moments: [], error: null };
    try {
        const response = await fetch(url, { method: "POST", body: script });
        Object.assign(seen, { status: response.status, type: response.headers.get("content-type") });
        const reader = response.body.getReader();
        for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            seen.pieces.push(new TextDecoder().decode(value));
            seen.moments.push(performance.now());
        }
    } catch (error) {
        seen.error = `${error.name}: ${error.message}`;
    }
    return seen;
}"""
LISTEN = """(url) => {
    window.heard = { data: [], errors: [] };
    window.source = new EventSource(url);
    source.onmessage = ({ data }) => heard.data.push(data);
    source.onerror = () => heard.errors.push(source.readyState);
}"""
RECONNECTING, CLOSED = 0, 2


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.set_default_timeout(30_000)
    yield page
    page.close()


@pytest.fixture(params=["function URL", "REST API"])
def front(request: Any) -> Callable[..., Hop]:
    def make(function: Function, **options: Any) -> Hop:
        if request.param == "function URL":
            return FunctionUrl(function, "RESPONSE_STREAM", **options)
        return RestApi(function, "STREAM", **options)

    return make


def becomes(page: Any, condition: str) -> None:
    """Wait until this is true in the page."""
    deadline = time.monotonic() + 30
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"never true: {condition}; {page.evaluate('heard')}"
        page.wait_for_timeout(20)


def test_a_stream_arrives_piece_by_piece(page: Any, scripted: Scripted, front: Any) -> None:
    script: dict[str, Any] = {"metadata": SSE, "chunks": [f"data: {n}\n\n" for n in range(4)], "every": 0.3}
    with front(scripted()) as hop:
        seen = page.evaluate(READ, [hop.url, json.dumps(script)])
    assert (seen["status"], seen["type"], seen["error"]) == (200, "text/event-stream", None)
    assert "".join(seen["pieces"]) == "".join(script["chunks"])
    assert seen["moments"][-1] - seen["moments"][0] >= 600  # of 900: Chromium may join two


def test_a_failure_in_the_middle_looks_like_success(page: Any, scripted: Scripted, front: Any) -> None:
    script = {"metadata": SSE, "chunks": ["data: half\n\n"], "then": "fail"}
    with front(scripted()) as hop:
        seen = page.evaluate(READ, [hop.url, json.dumps(script)])
    assert (seen["pieces"], seen["error"]) == (["data: half\n\n"], None)


def test_a_cut_is_a_network_error(page: Any, scripted: Scripted) -> None:
    script = {"metadata": SSE, "chunks": ["data: half\n\n"], "then": "stall"}
    with RestApi(scripted(), "STREAM", edge=True, speed=60) as hop:
        seen = page.evaluate(READ, [hop.url, json.dumps(script)])
    assert (seen["pieces"], seen["error"]) == (["data: half\n\n"], "TypeError: network error")


def test_event_source_asks_again_after_a_clean_end(page: Any, scripted: Scripted, front: Any) -> None:
    """Each time the function runs, and is paid for, anew."""
    script = {"metadata": SSE, "chunks": ["retry: 50\n\n", "data: once\n\n"]}
    with front(scripted()) as hop:
        page.evaluate(LISTEN, f"{hop.url}/?script={quote(json.dumps(script))}")
        becomes(page, "heard.data.length >= 3")
        page.evaluate("source.close()")
        assert set(page.evaluate("heard.errors")) == {RECONNECTING}
        assert len(hop.journal) >= 3


def test_event_source_stops_at_204(page: Any, scripted: Scripted, front: Any) -> None:
    script = {"metadata": {"statusCode": 204, **SSE}, "chunks": []}
    with front(scripted()) as hop:
        page.evaluate(LISTEN, f"{hop.url}/?script={quote(json.dumps(script))}")
        becomes(page, "heard.errors.length === 1")
        assert page.evaluate("heard.errors") == [CLOSED]
        assert len(hop.journal) == 1


def test_an_ordinary_handler_behind_a_streaming_url_is_no_event_stream(page: Any, scripted: Scripted) -> None:
    script = {"return": {"statusCode": 200, **SSE, "body": "data: hi\n\n"}}
    with FunctionUrl(scripted(), "RESPONSE_STREAM", cors=Cors()) as url:
        seen = page.evaluate(READ, [url.url, json.dumps(script)])
        page.evaluate(LISTEN, f"{url.url}/?script={quote(json.dumps(script))}")
        becomes(page, "heard.errors.length === 1")
    assert (seen["type"], json.loads("".join(seen["pieces"]))) == ("application/json", script["return"])
    assert page.evaluate("heard") == {"data": [], "errors": [CLOSED]}


def test_a_preflight_is_answered_by_the_url(page: Any, scripted: Scripted) -> None:
    """Chromium asks beforehand, since the content type is JSON; the function hears of the POST only."""
    ask = """async ([url, script]) => {
        const headers = { "content-type": "application/json" };
        const asked = fetch(url, { method: "POST", headers, body: script });
        return asked.then((response) => response.text(), (error) => error.message);
    }"""
    script = json.dumps({"metadata": {}, "chunks": ["hi"]})
    function = scripted()
    with FunctionUrl(function, "RESPONSE_STREAM", cors=Cors(allow_headers=("content-type",))) as url:
        assert page.evaluate(ask, [url.url, script]) == "hi"
        assert [passage.about.split()[0] for passage in url.journal] == ["OPTIONS", "POST"]
    with FunctionUrl(function, "RESPONSE_STREAM", cors=Cors(allow_origins=("https://x.example",))) as url:
        assert page.evaluate(ask, [url.url, script]) == "Failed to fetch"
    assert len(function.journal) == 1
