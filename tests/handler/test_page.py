"""The chat page in a real browser, over the real handler and the emulator."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from converse_emulator import Session

from tests.handler.resuming import cable

pytestmark = pytest.mark.xdist_group("chromium")

Serve = Callable[..., str]


def ask(page: Any, url: str, question: str = "When does it renew?") -> Any:
    """Open the page and ask; the answer's element."""
    page.goto(url)
    page.get_by_test_id("prompt").fill(question)
    page.keyboard.press("Enter")
    return page.get_by_test_id("assistant").last


def reaches(answer: Any, state: str) -> None:
    answer.and_(answer.page.locator(f"[data-state={state}]")).wait_for()


def shows(part: Any, text: str) -> None:
    """Wait until this part shows this text."""
    deadline = time.monotonic() + 20
    while part.text_content() != text:
        assert time.monotonic() < deadline, f"{part.text_content()!r} is not {text!r}"
        part.page.wait_for_timeout(20)


def test_text_grows_as_it_comes(serve: Serve, bedrock: Session, page: Any) -> None:
    bedrock.play(
        [{"gate": "1"}, {"text": "One "}, {"gate": "2"}, {"text": "two\n<b>"}, {"gate": "3"}, {"text": " 🌍"}]
    )
    answer = ask(page, serve())
    assert page.get_by_test_id("user").text_content() == "When does it renew?"
    assert answer.get_by_test_id("status").text_content() == "The assistant is thinking…"
    bedrock.open_gate("1")
    shows(answer.get_by_test_id("text"), "One ")
    reaches(answer, "streaming")
    bedrock.open_gate("2")
    shows(answer.get_by_test_id("text"), "One two\n<b>")
    bedrock.open_gate("3")
    shows(answer.get_by_test_id("text"), "One two\n<b> 🌍")
    reaches(answer, "done")
    for part in ("status", "note", "error", "retry"):
        assert answer.get_by_test_id(part).is_hidden()
    assert re.fullmatch(
        r"first word after [\d.]+ s · all after [\d.]+ s · \d+ tokens",
        answer.get_by_test_id("facts").text_content(),
    )


def test_thinking_is_shown_while_a_tool_runs(serve: Serve, bedrock: Session, page: Any) -> None:
    bedrock.play(
        [
            {"text": "Let me look."},
            {"tool_use": {"name": "lookup_subscription", "input": {"customer_id": "C-1"}}},
        ]
    )
    bedrock.play([{"gate": "go"}, {"text": "In March."}])
    answer = ask(page, serve())
    tool = answer.get_by_test_id("tool")
    tool.wait_for()
    assert tool.text_content() == "Looking up your subscription…"
    reaches(answer, "tool")
    assert answer.get_by_test_id("status").text_content() == "The assistant is thinking…"
    bedrock.open_gate("go")
    reaches(answer, "done")
    assert tool.get_attribute("data-state") == "done"
    assert answer.get_by_test_id("text").all_text_contents() == ["Let me look.", "In March."]


def test_a_tool_that_fails_is_marked(serve: Serve, bedrock: Session, page: Any) -> None:
    bedrock.play([{"tool_use": {"name": "slow_report", "input": {"seconds": 60}}}])
    bedrock.play("Later.")
    answer = ask(page, serve(tool_timeout=0.2))
    reaches(answer, "done")
    assert answer.get_by_test_id("tool").get_attribute("data-state") == "failed"


def test_thinking_aloud_is_folded_away(serve: Serve, bedrock: Session, page: Any) -> None:
    bedrock.play([{"reasoning": {"text": "Hm.", "signature": "x"}}, {"text": "Yes."}])
    answer = ask(page, serve())
    reaches(answer, "done")
    assert answer.get_by_test_id("thinking").text_content() == "ThinkingHm."
    assert answer.get_by_test_id("thinking").get_attribute("open") is None
    assert answer.get_by_test_id("text").text_content() == "Yes."


@pytest.mark.parametrize(
    ("stop", "state", "note"),
    [
        ("max_tokens", "truncated", "(response truncated)"),
        ("model_context_window_exceeded", "truncated", "(response truncated)"),
        ("guardrail_intervened", "done", "(a safety rule replaced this answer)"),
        ("content_filtered", "done", "(parts of this answer were filtered)"),
    ],
)
def test_an_answer_that_ends_otherwise_says_so(
    serve: Serve, bedrock: Session, page: Any, stop: str, state: str, note: str
) -> None:
    bedrock.play([{"text": "You can"}, {"stop": stop}])
    answer = ask(page, serve())
    reaches(answer, state)
    assert answer.get_by_test_id("text").text_content() == "You can"
    assert answer.get_by_test_id("note").text_content() == note
    assert answer.get_by_test_id("retry").is_hidden()


def test_an_interrupted_answer_keeps_its_text_and_can_be_tried_again(
    serve: Serve, bedrock: Session, page: Any
) -> None:
    bedrock.play([{"text": "It renews on "}, {"throw": "throttlingException"}])
    bedrock.play("It renews on 1 March.")
    answer = ask(page, serve())
    reaches(answer, "interrupted")
    assert answer.get_by_test_id("text").text_content() == "It renews on "
    assert answer.get_by_test_id("note").text_content() == "(generation interrupted)"
    assert "try again" in answer.get_by_test_id("error").text_content()
    answer.get_by_test_id("retry").click()
    again = page.get_by_test_id("assistant").nth(1)
    reaches(again, "done")
    assert again.get_by_test_id("text").text_content() == "It renews on 1 March."
    assert page.get_by_test_id("retry").locator("visible=true").count() == 0
    first, second = bedrock.journal.wait(2)
    assert first.request["body"]["messages"] == second.request["body"]["messages"]


def test_what_cannot_be_retried_has_no_button(serve: Serve, bedrock: Session, page: Any) -> None:
    bedrock.play([{"refuse": "AccessDeniedException"}])
    answer = ask(page, serve())
    reaches(answer, "interrupted")
    assert answer.get_by_test_id("note").is_hidden()
    assert "contact support" in answer.get_by_test_id("error").text_content()
    assert answer.get_by_test_id("retry").is_hidden()


def test_the_stop_button_closes_the_stream_to_bedrock(serve: Serve, bedrock: Session, page: Any) -> None:
    bedrock.play([{"text": "It renews on "}, {"wait": "forever"}])
    answer = ask(page, serve())
    shows(answer.get_by_test_id("text"), "It renews on ")
    assert page.get_by_test_id("send").is_hidden()
    stopped_at = time.time()
    page.get_by_test_id("stop").click()
    reaches(answer, "stopped")
    assert answer.get_by_test_id("text").text_content() == "It renews on "
    assert answer.get_by_test_id("note").text_content() == "(stopped)"
    assert page.get_by_test_id("stop").is_hidden()
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"
    assert exchange.ended_at is not None
    assert exchange.started_at + exchange.ended_at - stopped_at < 10


def test_the_conversation_goes_on_with_what_was_said(serve: Serve, bedrock: Session, page: Any) -> None:
    bedrock.play("In March.")
    bedrock.play([{"refuse": "AccessDeniedException"}])
    bedrock.play("Yes.")
    reaches(ask(page, serve()), "done")
    for question, state in (("Really?", "interrupted"), ("Sure?", "done")):
        page.get_by_test_id("prompt").fill(question)
        page.get_by_test_id("send").click()
        reaches(page.get_by_test_id("assistant").last, state)
    last = bedrock.journal.wait(3)[-1].request["body"]["messages"]
    assert [(one["role"], one["content"][0]["text"]) for one in last] == [
        ("user", "When does it renew?"),
        ("assistant", "In March."),
        ("user", "Sure?"),  # the question without an answer is left out: the roles take turns
    ]


def test_a_connection_that_is_lost_is_an_interruption(page: Any, serve: Serve) -> None:
    page.route(
        re.compile("/chat$"),
        lambda route: route.fulfill(
            content_type="text/event-stream",
            body='data: {"type":"content_block_start","index":0,"kind":"text"}\n\n'
            'data: {"type":"content_block_delta","index":0,"delta":{"text":"It re"}}\n\n',
        ),
    )
    answer = ask(page, serve())
    reaches(answer, "interrupted")
    assert answer.get_by_test_id("text").text_content() == "It re"
    assert answer.get_by_test_id("note").text_content() == "(generation interrupted)"
    assert answer.get_by_test_id("retry").is_visible()


def test_a_connection_that_breaks_is_read_on(serve: Serve, bedrock: Session, page: Any) -> None:
    bedrock.play([{"text": "One "}, {"gate": "2"}, {"text": "two "}, {"gate": "3"}, {"text": "three"}])
    with cable(serve(resume_grace=30)) as connection:
        answer = ask(page, connection.url)
        shows(answer.get_by_test_id("text"), "One ")
        connection.cut()
        bedrock.open_gate("2")
        shows(answer.get_by_test_id("text"), "One two ")
        connection.cut()
        bedrock.open_gate("3")
        reaches(answer, "done")
    assert answer.get_by_test_id("text").text_content() == "One two three"
    assert len(bedrock.journal.wait(1)) == 1


def test_without_grace_what_breaks_is_interrupted(serve: Serve, bedrock: Session, page: Any) -> None:
    bedrock.play([{"text": "It renews on "}, {"wait": "forever"}])
    with cable(serve()) as connection:
        answer = ask(page, connection.url)
        shows(answer.get_by_test_id("text"), "It renews on ")
        connection.cut()
        reaches(answer, "interrupted")
    assert answer.get_by_test_id("text").text_content() == "It renews on "
    assert answer.get_by_test_id("retry").is_visible()


def test_the_stop_button_does_not_wait_for_grace(serve: Serve, bedrock: Session, page: Any) -> None:
    bedrock.play([{"text": "It renews on "}, {"wait": "forever"}])
    answer = ask(page, serve(resume_grace=600))
    shows(answer.get_by_test_id("text"), "It renews on ")
    page.get_by_test_id("stop").click()
    reaches(answer, "stopped")
    assert bedrock.journal.wait(1)[0].ended == "client left"


def test_a_handler_that_is_gone_is_an_interruption(page: Any, serve: Serve) -> None:
    page.route(re.compile("/chat$"), lambda route: route.abort("connectionrefused"))
    answer = ask(page, serve())
    reaches(answer, "interrupted")
    assert answer.get_by_test_id("error").text_content() == "The connection was lost. Please try again."


def test_the_stream_may_be_cut_anywhere(page: Any, serve: Serve) -> None:
    page.goto(serve())
    found = page.evaluate(
        r"""async () => {
            const { SseDecoder } = await import("/static/sse.js");
            const stream = "\ufeff: ping\n\nid: 1\ndata: Grüße 🌍\n\n" +
                "data:a\r\n\r\ndata: b\rdata:  c\r\rretry: 3000\ndata\n\nevent: x\n\ndata: cut";
            const bytes = new TextEncoder().encode(stream);
            const seen = new Set();
            for (let first = 0; first <= bytes.length; first++) {
                for (let second = first; second <= bytes.length; second++) {
                    const decoder = new SseDecoder();
                    const pieces = [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
                    const read = pieces.flatMap((piece) => [...decoder.feed(piece)]);
                    seen.add(JSON.stringify([...read, decoder.lastEventId]));
                }
            }
            return [...seen].map((each) => JSON.parse(each));
        }"""
    )
    assert found == [["Grüße 🌍", "a", "b\n c", "", "1"]]


def test_nothing_is_loaded_from_elsewhere(page: Any, serve: Serve) -> None:
    url = serve()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    page.get_by_test_id("welcome").wait_for()
    assert [each for each in asked if not each.startswith((url, "data:"))] == []
