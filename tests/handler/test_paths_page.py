"""The same chat page over each path: the text grows, a tool makes it think, a cut is told from an end."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from converse_emulator import Session
from converse_hops import Function, FunctionUrl, LoadBalancer, RestApi
from converse_hops.websocket.api import WebSocketApi

from tests.handler.appsync_peers import event_api, settings_for
from tests.handler.test_page import reaches, shows
from tests.handler.test_websocket_page import free_port

pytestmark = pytest.mark.xdist_group("chromium")

Serve = Callable[..., str]
Ask = Callable[..., Any]
PATHS = ("this service", "Function URL", "REST API", "WebSocket API", "AppSync Events")
RUNTIME = [sys.executable, "-m", "converse_handler.lambda_runtime"]


@pytest.fixture(scope="module")
def ports() -> tuple[int, ...]:
    return tuple(free_port() for _ in range(4))


@pytest.fixture
def ask(serve: Serve, page: Any, bedrock: Session) -> Iterator[Ask]:  # noqa: ARG001
    """Ask over a path, all of which stand ready behind one page."""
    balancer, url, rest, websocket = (free_port() for _ in range(4))
    origin = f"http://127.0.0.1:{balancer}"
    env = {"CHAT_ALLOW_ORIGIN": origin, "CHAT_FIRST_BYTE_TIMEOUT": "30"}
    with ExitStack() as stack:
        function = stack.enter_context(Function(RUNTIME, env=env))
        stack.enter_context(FunctionUrl(function, "RESPONSE_STREAM", port=url))
        stack.enter_context(RestApi(function, "STREAM", port=rest))
        events = stack.enter_context(event_api())
        handler = serve(
            sse_paths=f"Function URL=http://127.0.0.1:{url}/chat,REST API=http://127.0.0.1:{rest}/prod/chat",
            websocket_endpoint=f"http://127.0.0.1:{websocket}/prod",
            **settings_for(events),
        )
        stack.enter_context(WebSocketApi(f"{handler}/websocket", port=websocket))
        stack.enter_context(LoadBalancer(handler, port=balancer))

        def asked(path: str) -> Any:
            page.goto(f"{origin}/")
            page.get_by_test_id("path").select_option(path)
            page.get_by_test_id("prompt").fill("When does it renew?")
            page.keyboard.press("Enter")
            return page.get_by_test_id("assistant").last

        yield asked
        page.goto("about:blank")


@pytest.mark.parametrize("path", PATHS)
def test_the_text_grows_and_ends(ask: Ask, bedrock: Session, path: str) -> None:
    bedrock.play([{"gate": "1"}, {"text": "One "}, {"gate": "2"}, {"text": "two 🌍"}])
    answer = ask(path)
    bedrock.open_gate("1")
    shows(answer.get_by_test_id("text"), "One ")
    reaches(answer, "streaming")
    assert answer.page.get_by_test_id("path").is_disabled()
    bedrock.open_gate("2")
    shows(answer.get_by_test_id("text"), "One two 🌍")
    reaches(answer, "done")


@pytest.mark.parametrize("path", PATHS)
def test_it_thinks_while_a_tool_runs(ask: Ask, bedrock: Session, path: str) -> None:
    tool = {"name": "lookup_subscription", "input": {"customer_id": "C-1"}}
    bedrock.play([{"text": "Let me look."}, {"tool_use": tool}])
    bedrock.play([{"gate": "go"}, {"text": "In March."}])
    answer = ask(path)
    reaches(answer, "tool")
    assert answer.get_by_test_id("status").text_content() == "The assistant is thinking…"
    bedrock.open_gate("go")
    reaches(answer, "done")
    assert answer.get_by_test_id("text").all_text_contents() == ["Let me look.", "In March."]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("end", "state", "note"),
    [
        ({"stop": "max_tokens"}, "truncated", "(response truncated)"),
        ("finish", "interrupted", "(generation interrupted)"),
        ({"throw": "throttlingException"}, "interrupted", "(generation interrupted)"),
    ],
    ids=["truncated", "cut", "throttled"],
)
def test_a_cut_is_told_from_an_end(
    ask: Ask, bedrock: Session, path: str, end: Any, state: str, note: str
) -> None:
    bedrock.play([{"text": "It renews on "}, end])
    answer = ask(path)
    reaches(answer, state)
    assert answer.get_by_test_id("note").text_content() == note
    assert answer.get_by_test_id("text").text_content() == "It renews on "


def test_the_choice_is_kept_in_the_address(ask: Ask, bedrock: Session, page: Any) -> None:
    bedrock.play("Hi")
    reaches(ask("WebSocket API"), "done")
    assert page.url.endswith("#path=WebSocket+API")
    page.reload()
    page.get_by_test_id("path").and_(page.locator("select:has(option)")).wait_for()
    assert page.get_by_test_id("path").input_value() == "WebSocket API"
