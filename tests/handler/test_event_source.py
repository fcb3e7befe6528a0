"""`EventSource` of a real browser against an answer that can be resumed: a cut, and a clean end."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from converse_emulator import Session

from tests.handler.resuming import cable

pytestmark = pytest.mark.xdist_group("chromium")

Serve = Callable[..., str]

# Ask with fetch, since EventSource cannot POST, and leave; read with EventSource, which nobody closes.
FOLLOW = """async () => {
    const leaving = new AbortController();
    const response = await fetch("/chat", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ messages: [{ role: "user", content: "When?" }] }),
        signal: leaving.signal,
    });
    leaving.abort();
    window.seen = { ids: [], text: "", errors: [], ended: 0 };
    window.source = new EventSource(response.headers.get("content-location"));
    source.onmessage = ({ data, lastEventId }) => {
        if (data === "[DONE]") return;
        const event = JSON.parse(data);
        seen.ids.push(lastEventId);
        seen.text += event.delta?.text ?? "";
        if (event.type === "message_stop") seen.ended += 1;
    };
    source.onerror = () => seen.errors.push(source.readyState);
}"""
RECONNECTING, CLOSED = 0, 2


def becomes(page: Any, condition: str) -> None:
    """Wait until this is true in the page."""
    deadline = time.monotonic() + 30
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"never true: {condition}; {page.evaluate('seen')}"
        page.wait_for_timeout(20)


def test_a_cut_is_made_good_and_a_clean_end_starts_nothing_anew(
    serve: Serve, bedrock: Session, page: Any
) -> None:
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two "}, {"gate": "3"}, {"text": "three"}])
    with cable(serve(resume_grace=30)) as connection:
        page.goto(connection.url)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method))
        page.evaluate(FOLLOW)
        becomes(page, "seen.text === 'one '")
        connection.cut()
        becomes(page, "seen.errors.length === 1")
        bedrock.open_gate("2")
        bedrock.open_gate("3")
        becomes(page, f"source.readyState === {CLOSED}")
        seen = page.evaluate("seen")
    assert seen["text"] == "one two three"
    assert [int(id.rpartition("-")[2]) for id in seen["ids"]] == list(range(1, 8))
    assert seen["ended"] == 1
    # The cut; the clean end, after which it asks again all the same; the 204, which stops it.
    assert seen["errors"] == [RECONNECTING, RECONNECTING, CLOSED]
    assert asked.count("POST") == 1
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "finished"


def test_an_answer_that_is_gone_stops_it_too(serve: Serve, page: Any) -> None:
    page.goto(serve())
    page.evaluate("window.source = new EventSource('/chat/msg_0'), null")
    becomes(page, f"source.readyState === {CLOSED}")
