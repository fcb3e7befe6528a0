"""Answers over AppSync Events in a real browser: the page's own client of the realtime WebSocket."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from converse_emulator import Session
from converse_hops.appsync.hop import AppSyncEvents
from converse_hops.appsync.limits import Limits

from tests.handler import appsync_peers
from tests.handler.appsync_peers import settings_for

pytestmark = pytest.mark.xdist_group("chromium")

Serve = Callable[..., str]
Ask = Callable[..., Any]

# What a selector of transports does on the chat page, and nothing else.
SCRIPT = """async (options) => {
    const { AnswerView } = await import("/static/answer.js");
    const { AppSyncTransport } = await import("/static/appsync.js");
    const { Refused } = await import("/static/refused.js");
    const transport = new AppSyncTransport("/appsync", options);
    window.ask = async (question) => {
        const answer = new AnswerView(() => {});
        document.getElementById("log").append(answer.element);
        window.controller = new AbortController();
        const messages = [{ role: "user", content: question }];
        try {
            for await (const event of transport.ask(messages, controller.signal)) answer.take(event);
        } catch (error) {
            if (error.name === "AbortError") answer.stop();
            else answer.interrupt(`${error.constructor.name}: ${error.message}`, !(error instanceof Refused));
        }
    };
}"""


@pytest.fixture
def event_api() -> Iterator[Callable[..., AppSyncEvents]]:
    """Serve an Event API."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(appsync_peers.event_api(**options))


@pytest.fixture
def ask(page: Any, serve: Serve) -> Ask:
    """Ask on a page; the answer's element: `ask(api, gap=100)`. Once it is open, `ask()` asks again."""

    def asked(api: AppSyncEvents | None = None, *, settings: Any = None, **options: Any) -> Any:
        if api:
            page.goto(serve(**settings_for(api, **(settings or {}))))
            page.evaluate(SCRIPT, options)
        page.evaluate("() => void ask('When does it renew?')")
        return page.get_by_test_id("assistant").last

    return asked


def reaches(answer: Any, state: str) -> None:
    answer.and_(answer.page.locator(f"[data-state={state}]")).wait_for()


def shows(answer: Any, text: str) -> None:
    answer.page.wait_for_function(
        "([text]) => [...document.querySelectorAll('[data-testid=text]')].at(-1)?.textContent === text",
        arg=[text],
    )


@pytest.mark.parametrize("event_as", ["array", "string"])
def test_text_grows_as_it_comes(
    event_api: Callable[..., Any], ask: Ask, bedrock: Session, event_as: str
) -> None:
    bedrock.play(
        [{"gate": "1"}, {"text": "One "}, {"gate": "2"}, {"text": "two\n<b>"}, {"gate": "3"}, {"text": " 🌍"}]
    )
    answer = ask(event_api(event_as=event_as))
    reaches(answer, "waiting")
    for gate, text in (("1", "One "), ("2", "One two\n<b>"), ("3", "One two\n<b> 🌍")):
        bedrock.open_gate(gate)
        shows(answer, text)
    reaches(answer, "done")


def test_one_connection_for_several_answers(
    event_api: Callable[..., Any], ask: Ask, bedrock: Session
) -> None:
    bedrock.play("First.")
    bedrock.play("Second.")
    answer = ask(api := event_api())
    reaches(answer, "done")
    again = ask()
    reaches(again, "done")
    assert again.get_by_test_id("text").text_content() == "Second."
    assert len([each for each in api.journal if each.about.startswith("realtime")]) == 1


def test_a_tool_pause_and_a_failure_in_the_stream(
    event_api: Callable[..., Any], ask: Ask, bedrock: Session
) -> None:
    bedrock.play([{"tool_use": {"name": "slow_report", "input": {"seconds": 0.5}}}])
    bedrock.play([{"text": "It re"}, {"throw": "throttlingException"}])
    answer = ask(event_api())
    reaches(answer, "tool")
    reaches(answer, "interrupted")
    assert answer.get_by_test_id("text").text_content() == "It re"
    assert "very busy" in answer.get_by_test_id("error").text_content()


def test_what_overtakes_is_put_in_order(event_api: Callable[..., Any], ask: Ask, bedrock: Session) -> None:
    words = [f"word{number} " for number in range(30)]
    bedrock.play([step for word in words for step in ({"text": word}, {"wait": "30ms"})])
    answer = ask(event_api(reorder=0.4, seed=5))
    reaches(answer, "done")
    assert answer.get_by_test_id("text").text_content() == "".join(words)


def test_what_is_lost_is_fetched(event_api: Callable[..., Any], ask: Ask, bedrock: Session) -> None:
    words = [f"word{number} " for number in range(30)]
    bedrock.play([step for word in words for step in ({"text": word}, {"wait": "60ms"})])
    answer = ask(event_api(drop=0.3, seed=1), gap=100, silence=2000)
    reaches(answer, "done")
    assert answer.get_by_test_id("text").text_content() == "".join(words)


def test_what_is_lost_for_good_is_an_interruption_and_stops_the_model(
    event_api: Callable[..., Any], ask: Ask, bedrock: Session, page: Any
) -> None:
    page.route(re.compile("/appsync/missed"), lambda route: route.fulfill(status=404, json={"error": "gone"}))
    words = [f"word{number} " for number in range(60)]
    bedrock.play([step for word in words for step in ({"text": word}, {"wait": "100ms"})])
    answer = ask(event_api(drop=0.2, seed=1), gap=200)
    reaches(answer, "interrupted")
    assert answer.get_by_test_id("error").text_content() == "Interrupted: events were lost"
    assert "".join(words).startswith(answer.get_by_test_id("body").text_content())
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"


def test_silence_is_an_interruption(event_api: Callable[..., Any], ask: Ask, bedrock: Session) -> None:
    bedrock.play([{"text": "It re"}, {"wait": "forever"}])
    answer = ask(event_api(), silence=1000)
    reaches(answer, "interrupted")
    assert answer.get_by_test_id("error").text_content() == "Interrupted: nothing came for too long"


def test_a_connection_that_is_lost_is_made_anew(
    event_api: Callable[..., Any], ask: Ask, bedrock: Session
) -> None:
    bedrock.play([{"text": "It re"}, {"gate": "go"}, {"text": "news on 1 March."}])
    api = event_api(limits=Limits(longest_connection=2.0))
    answer = ask(api)
    shows(answer, "It re")
    api.journal.wait(lambda journal: journal[0].happened("cut"))
    bedrock.open_gate("go")
    reaches(answer, "done")
    assert answer.get_by_test_id("text").text_content() == "It renews on 1 March."
    assert len([each for each in api.journal if each.about.startswith("realtime")]) > 1


def test_a_service_that_is_gone_is_an_interruption(
    event_api: Callable[..., Any], ask: Ask, bedrock: Session
) -> None:
    bedrock.play([{"text": "It re"}, {"wait": "forever"}])
    api = event_api()
    answer = ask(api)
    shows(answer, "It re")
    api.stop()
    reaches(answer, "interrupted")
    assert answer.get_by_test_id("error").text_content() == "Interrupted: the connection was lost"
    assert answer.get_by_test_id("text").text_content() == "It re"


def test_the_stop_button_stops_the_model(
    event_api: Callable[..., Any], ask: Ask, bedrock: Session, page: Any
) -> None:
    bedrock.play([{"text": "It re"}, {"wait": "forever"}])
    answer = ask(event_api())
    shows(answer, "It re")
    page.evaluate("controller.abort()")
    reaches(answer, "stopped")
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"


def test_a_tab_that_is_closed_stops_the_model(
    event_api: Callable[..., Any], ask: Ask, bedrock: Session, page: Any
) -> None:
    bedrock.play([{"text": "It re"}, {"wait": "forever"}])
    answer = ask(event_api())
    shows(answer, "It re")
    page.goto("about:blank")
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"


def test_a_ticket_that_is_not_taken(event_api: Callable[..., Any], ask: Ask) -> None:
    answer = ask(event_api(authorizer=lambda _: {"isAuthorized": False}))
    reaches(answer, "interrupted")
    assert answer.get_by_test_id("error").text_content() == (
        "Refused: UnauthorizedException: You are not authorized to make this call."
    )
    assert answer.get_by_test_id("retry").is_hidden()


def test_the_session_is_not_for_caches(event_api: Callable[..., Any], serve: Serve) -> None:
    url = serve(**settings_for(event_api()))
    first, second = (httpx.get(f"{url}/appsync", trust_env=False) for _ in range(2))
    assert first.headers["cache-control"] == "no-store"
    assert first.json()["channels"] != second.json()["channels"]
    assert httpx.get(f"{serve()}/appsync", trust_env=False).status_code == 404
