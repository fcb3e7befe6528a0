"""`websocket.js` in a real browser: over a WebSocket API to the handler, and what it makes of breaks."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from converse_emulator import Session
from converse_hops.websocket.api import WebSocketApi
from converse_hops.websocket.limits import Limits

from tests.handler.conftest import careful_page

pytestmark = pytest.mark.xdist_group("chromium")

Serve = Callable[..., str]

# One question by the transport, shown as the chat page shows answers; gives how it ended.
ASK = """async ({ content, options }) => {
    const { AnswerView } = await import("/static/answer.js");
    if (!window.transport) {
        const { WebSocketTransport } = await import("/static/websocket.js");
        window.transport = new WebSocketTransport("websocket", options);
    }
    const answer = new AnswerView(() => {});
    document.getElementById("log").replaceChildren(answer.element);
    window.stop = new AbortController();
    try {
        const messages = [{ role: "user", content }];
        for await (const event of window.transport.ask(messages, window.stop.signal)) answer.take(event);
        return "ended";
    } catch (error) {
        return `${error.name === "AbortError" ? error.name : error.constructor.name}: ${error.message}`;
    }
}"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that may connect to others than its server, which is what its own policy forbids."""
    with careful_page(browser, bypass_csp=True) as page:
        yield page


@pytest.fixture
def chat(serve: Serve, page: Any) -> Iterator[Callable[..., WebSocketApi]]:
    """Open the page of a handler behind a WebSocket API; `target` is the handler if it is not given."""
    started: list[WebSocketApi] = []

    def opened(target: Any = None, **options: Any) -> WebSocketApi:
        port = free_port()
        url = serve(websocket_endpoint=f"http://127.0.0.1:{port}/prod", heartbeat=0.2)
        started.append(WebSocketApi(target or f"{url}/websocket", port=port, **options).start())
        page.goto(url)
        return started[-1]

    yield opened
    page.goto("about:blank")
    for api in started:
        api.stop()


def begin(page: Any, content: str = "When does it renew?", **options: Any) -> None:
    """Ask, and come back at once; `end` waits for the end."""
    given = json.dumps({"content": content, "options": options})
    page.evaluate(f"() => {{ window.ended = ({ASK})({given}); }}")


def end(page: Any) -> str:
    """How the answer ended."""
    told: str = page.evaluate("window.ended")
    return told


def state(page: Any, state: str) -> Any:
    answer = page.get_by_test_id("assistant").and_(page.locator(f"[data-state={state}]"))
    answer.wait_for()
    return answer


def test_the_page_shows_each_word_before_the_next_one_is_said(
    chat: Callable[..., WebSocketApi], bedrock: Session, page: Any
) -> None:
    words = ["One ", "two ", "three 🌍"]
    bedrock.play([{"text": words[0]}, {"gate": "1"}, {"text": words[1]}, {"gate": "2"}, {"text": words[2]}])
    chat()
    begin(page)
    shown = page.get_by_test_id("text")
    for number in range(1, 4):
        page.wait_for_function(
            "text => document.querySelector('[data-testid=text]')?.textContent === text",
            arg="".join(words[:number]),
        )
        bedrock.open_gate(f"{number}")
    assert end(page) == "ended"
    state(page, "done")
    assert shown.text_content() == "".join(words)


def test_questions_share_a_connection(chat: Callable[..., WebSocketApi], bedrock: Session, page: Any) -> None:
    api = chat()
    for answer in ("In March.", "Yes."):
        bedrock.play(answer)
        begin(page)
        assert end(page) == "ended"
        assert page.get_by_test_id("text").text_content() == answer
    assert len(api.journal) == 1


def test_a_tool_is_shown_and_an_answer_may_be_cut_by_a_limit(
    chat: Callable[..., WebSocketApi], bedrock: Session, page: Any
) -> None:
    chat()
    bedrock.play(scenario="tools/round-trip")
    begin(page)
    assert end(page) == "ended"
    assert page.get_by_test_id("tool").get_attribute("data-state") == "done"
    bedrock.play(scenario="stop-reasons/max-tokens")
    begin(page)
    assert end(page) == "ended"
    state(page, "truncated")


def test_a_failure_in_the_middle_is_an_interruption(
    chat: Callable[..., WebSocketApi], bedrock: Session, page: Any
) -> None:
    bedrock.play(scenario="exceptions/throttling")
    chat()
    begin(page)
    assert end(page) == "ended"  # in good order: it said that it failed
    state(page, "interrupted")


def test_a_connection_that_ends_early_is_a_cut(
    chat: Callable[..., WebSocketApi], bedrock: Session, page: Any
) -> None:
    bedrock.play([{"text": "It renews on "}, {"wait": "forever"}])
    api = chat(speed=100, limits=Limits(lifetime=100))
    begin(page)
    assert end(page) == "Interrupted: the connection was closed: 1001 Going away"
    assert page.get_by_test_id("text").text_content() == "It renews on "
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"
    assert api.journal.last.of("cut")


def test_stopping_lets_go_of_the_model_and_the_next_question_connects_again(
    chat: Callable[..., WebSocketApi], bedrock: Session, page: Any
) -> None:
    bedrock.play([{"text": "It renews on "}, {"wait": "forever"}])
    bedrock.play("Yes.")
    api = chat()
    begin(page)
    state(page, "streaming")
    page.evaluate("window.stop.abort()")
    assert end(page).startswith("AbortError")
    bedrock.journal.wait(1)
    begin(page)
    assert end(page) == "ended"
    assert page.get_by_test_id("text").text_content() == "Yes."
    assert len(api.journal) == 2


def test_silence_is_survived_by_pings_and_the_notice_of_the_gateway_is_no_end(
    chat: Callable[..., WebSocketApi], bedrock: Session, page: Any
) -> None:
    bedrock.play([{"text": "It renews on "}, {"wait": "1500ms"}, {"text": "1 March."}])
    api = chat()
    begin(page, silence=1000)
    state(page, "streaming")
    api._thread.run(notify(api))
    assert end(page) == "ended"
    assert page.get_by_test_id("text").text_content() == "It renews on 1 March."


async def notify(api: WebSocketApi) -> None:
    """What a function that takes longer than 29 s makes the gateway say."""
    (connection,) = api._connections.values()
    connection.post(b'{"message": "Endpoint request timed out", "connectionId": "c", "requestId": "r"}')


def test_what_overtakes_is_put_in_order_and_a_gap_is_an_interruption(
    chat: Callable[..., WebSocketApi], page: Any
) -> None:
    apis: list[WebSocketApi] = []
    left: list[Any] = []

    async def shuffled(event: dict[str, Any]) -> dict[str, int]:
        if event["requestContext"]["eventType"] == "DISCONNECT":
            left.append(event["requestContext"])
        if "body" in event:
            (connection,) = apis[0]._connections.values()
            for seq in event["body"].count("gap") * [1, 3, 4] or [2, 1, 4, 3, 2, 5]:
                connection.post(json.dumps({"seq": seq, **EVENTS[seq - 1]}).encode())
        return {"statusCode": 200}

    apis.append(chat(shuffled))
    begin(page, gap=200)
    assert end(page) == "ended"
    assert page.get_by_test_id("text").text_content() == "in order"
    begin(page, "gap")
    assert end(page) == "Interrupted: events were lost"
    deadline = time.monotonic() + 20
    while not left and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left[0]["disconnectStatusCode"] == 1005  # the page lets go of what it cannot use
    assert left[0]["disconnectReason"] == "Client-side close frame status not set"


EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "id": "m"},
    {"type": "content_block_start", "index": 0, "kind": "text"},
    {"type": "content_block_delta", "index": 0, "delta": {"text": "in "}},
    {"type": "content_block_delta", "index": 0, "delta": {"text": "order"}},
    {"type": "message_stop", "stop_reason": "end_turn", "truncated": False, "usage": None},
]


def test_a_function_that_fails_is_told(chat: Callable[..., WebSocketApi], page: Any) -> None:
    def wrong(event: dict[str, Any]) -> dict[str, int]:
        return {"statusCode": 200 // ("body" not in event)}

    chat(wrong)
    begin(page)
    assert end(page) == "Interrupted: the gateway says: Internal server error"


def test_a_conversation_too_long_for_a_frame_is_refused_before_it_is_sent(
    chat: Callable[..., WebSocketApi], page: Any
) -> None:
    api = chat()
    begin(page, "x" * 32_768)
    assert end(page) == "Refused: The conversation is too long for this connection."
    assert len(api.journal) == 0
