"""`EventSource` of a real browser against an answer that can be resumed: a cut, and a clean end."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from converse_emulator import Session
from converse_hops import LoadBalancer

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


@pytest.mark.parametrize(("heartbeat", "cut"), [(0.2, False), (15.0, True)])
def test_behind_a_load_balancer_heartbeats_keep_it_and_without_them_it_comes_back(
    serve: Serve, bedrock: Session, page: Any, heartbeat: float, cut: bool
) -> None:
    """The idle timeout of a minute is up after a second; the model is silent for longer."""
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two"}])
    handler = serve(resume_grace=30, heartbeat=heartbeat)
    with LoadBalancer(handler, idle_timeout=60, speed=60) as balancer:
        page.goto(balancer.url)
        page.evaluate(FOLLOW)
        becomes(page, "seen.text === 'one '")
        if cut:
            becomes(page, "seen.errors.length === 1")
        else:
            page.wait_for_timeout(2500)
            assert page.evaluate("seen.errors") == []
        bedrock.open_gate("2")
        becomes(page, f"source.readyState === {CLOSED}")
        cuts = [record.detail for passage in balancer.journal for record in passage.of("cut")]
        seen = page.evaluate("seen")
    assert seen["text"] == "one two"
    assert [int(id.rpartition("-")[2]) for id in seen["ids"]] == list(range(1, 7))
    assert cuts == ["idle timeout of 60 s"] * cut
    assert seen["errors"] == [RECONNECTING] * cut + [RECONNECTING, CLOSED]
    assert len(bedrock.journal.wait(1)) == 1


def test_a_deployment_is_survived_by_coming_back(serve: Serve, bedrock: Session, page: Any) -> None:
    """The stream is cut at the end of the deregistration delay; the handler still has the answer."""
    bedrock.play([{"text": "one "}, {"gate": "2"}, {"text": "two"}])
    handler = serve(resume_grace=30)
    with LoadBalancer(handler, deregistration_delay=0) as balancer:
        page.goto(balancer.url)
        page.evaluate(FOLLOW)
        becomes(page, "seen.text === 'one '")
        balancer.register(handler)
        becomes(page, "seen.errors.length === 1")
        bedrock.open_gate("2")
        becomes(page, f"source.readyState === {CLOSED}")
        assert page.evaluate("seen.text") == "one two"
    assert len(bedrock.journal.wait(1)) == 1


def test_an_answer_that_is_gone_stops_it_too(serve: Serve, page: Any) -> None:
    page.goto(serve())
    page.evaluate("window.source = new EventSource('/chat/msg_0'), null")
    becomes(page, f"source.readyState === {CLOSED}")
