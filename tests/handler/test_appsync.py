"""Answers over AppSync Events, end to end: Bedrock, the handler, the Event API, a client of its WebSocket."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import httpx
import pytest
from converse_emulator import Session
from converse_handler import appsync_app
from converse_handler.appsync import AppSync, realtime_url
from converse_handler.events import Event, Failed, Finished
from converse_handler.publishing import MOST_EVENTS, Publication
from converse_handler.settings import SettingsError
from converse_hops.appsync.hop import AppSyncEvents
from converse_hops.appsync.limits import Limits

from tests.handler import appsync_peers
from tests.handler.appsync_peers import Browser, settings_for

Serve = Callable[..., str]
Api = Callable[..., AppSyncEvents]
Browse = Callable[..., Browser]


@pytest.fixture
def event_api() -> Iterator[Api]:
    """Serve an Event API: `event_api(drop=0.1)`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(appsync_peers.event_api(**options))


@pytest.fixture
def browse(serve: Serve) -> Iterator[Browse]:
    """A browser at a handler that publishes to this API: `browse(api, **settings)`."""
    with ExitStack() as stack:
        yield lambda api, **settings: Browser(serve(**settings_for(api, **settings)), stack)


def text_of(events: list[Any]) -> str:
    return "".join(event.get("delta", {}).get("text", "") for event in events)


def types_of(events: list[Any]) -> list[str]:
    return [event["type"] for event in events]


def test_an_answer(event_api: Api, browse: Browse, bedrock: Session) -> None:
    bedrock.play("Your subscription renews on 1 März. 🌍 <b>")
    browser = browse(api := event_api())
    browser.start()
    events = browser.hear_all()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert types_of(events)[:2] == ["message_start", "content_block_start"]
    assert text_of(events) == "Your subscription renews on 1 März. 🌍 <b>"
    assert events[-1]["stop_reason"] == "end_turn"
    publishes = [each for each in api.journal if each.about == "POST /event"]
    assert all(each.of("passed", "up")[0].detail.endswith("for 1 subscriptions") for each in publishes)


def heard_through_gates(browser: Browser, bedrock: Session, patience: float) -> list[str]:
    """The pieces that the browser has, when each one is made only after the one before it was heard."""
    pieces = [f"piece {number} " for number in range(6)]
    bedrock.play([step for piece in pieces for step in ({"text": piece}, {"gate": "heard"})])
    browser.start()
    heard: list[str] = []
    for piece in pieces:
        text = ""
        while text != piece:
            try:
                text += text_of([browser.hear(patience)])
            except TimeoutError:
                return heard
        heard.append(piece)
        bedrock.open_gate("heard")
    return heard


def test_every_piece_is_heard_before_the_next_one_is_made(
    event_api: Api, browse: Browse, bedrock: Session
) -> None:
    browser = browse(event_api())
    assert len(heard_through_gates(browser, bedrock, patience=20)) == 6
    assert browser.hear_all()[-1]["type"] == "message_stop"


class AtTheEnd(Publication):
    """The mistake: collect the answer, then publish it."""

    async def _write(self) -> None:
        events: list[Event] = []
        while not (events and isinstance(events[-1], Finished | Failed)):
            events += await self._outbox.take_some(MOST_EVENTS)
        for start in range(0, len(events), MOST_EVENTS):
            await self._deliver(events[start : start + MOST_EVENTS])


def test_publishing_at_the_end_is_found_and_located(
    event_api: Api, browse: Browse, bedrock: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appsync_app, "Publication", AtTheEnd)
    browser = browse(api := event_api())
    assert heard_through_gates(browser, bedrock, patience=1) == []
    assert bedrock.journal.last.text_sent == "piece 0 "  # Bedrock has said it
    assert not [each for each in api.journal if each.about == "POST /event"]  # and the handler holds it
    browser.cancel(browser.own())


def test_a_tool_pause(event_api: Api, browse: Browse, bedrock: Session) -> None:
    bedrock.play([{"text": "Let me look."}, {"tool_use": {"name": "slow_report", "input": {"seconds": 0.3}}}])
    bedrock.play("Done.")
    browser = browse(event_api())
    browser.start()
    events = browser.hear_all()
    assert [event for event in types_of(events) if event.startswith("tool")] == ["tool_start", "tool_end"]
    assert text_of(events) == "Let me look.Done."
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


@pytest.mark.parametrize(
    ("steps", "last"),
    [
        ([{"text": "It "}, {"throw": "throttlingException"}], ("error", "throttled")),
        ([{"text": "It "}, "hangup"], ("error", "stream_interrupted")),
        ([{"text": "It "}, {"stop": "max_tokens"}], ("message_stop", "max_tokens")),
        ([{"refuse": "AccessDeniedException"}], ("error", "access_denied")),
    ],
)
def test_every_end_is_told(
    event_api: Api, browse: Browse, bedrock: Session, steps: Any, last: tuple[str, str]
) -> None:
    bedrock.play(steps)
    browser = browse(event_api())
    browser.start()
    events = browser.hear_all()
    end = events[-1]
    assert (end["type"], end.get("code") or end["stop_reason"]) == last
    assert text_of(events) == ("It " if len(steps) > 1 else "")
    assert end.get("truncated") in (None, True)


def test_order_is_kept_when_the_service_is_slower_than_the_model(
    event_api: Api, browse: Browse, bedrock: Session
) -> None:
    words = "".join(f"w{number} " for number in range(400))
    bedrock.play([{"text": words}])
    browser = browse(event_api())
    browser.start()
    events = browser.hear_all()
    assert text_of(events) == words
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len(events) < 100  # what piled up was joined


def test_a_throttled_publish_is_tried_again_in_order(
    event_api: Api, browse: Browse, bedrock: Session
) -> None:
    bedrock.play([{"text": "one "}, {"wait": "80ms"}, {"text": "two "}, {"wait": "80ms"}, {"text": "three"}])
    api = event_api(limits=Limits(events_per_second=5), speed=2.0)
    browser = browse(api)
    browser.start()
    events = browser.hear_all()
    assert text_of(events) == "one two three"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert "429 LimitExceededError" in str(api.journal)


def test_lost_events_leave_gaps_and_can_be_asked_for(
    event_api: Api, browse: Browse, bedrock: Session
) -> None:
    words = [f"word{number} " for number in range(12)]
    bedrock.play([step for word in words for step in ({"text": word}, {"wait": "60ms"})])
    browser = browse(event_api(drop=0.4, seed=3))
    browser.start()
    heard: list[Any] = []
    with suppress(TimeoutError):
        while not heard or heard[-1]["type"] != "message_stop":
            heard.append(browser.hear(3))
    seen = {event["seq"] for event in heard}
    first = min(set(range(1, max(seen) + 1)) - seen)
    response = browser.missed(browser.own(), first - 1)
    rest = response.json()["events"]
    assert rest[0]["seq"] == first
    events = [event for event in heard if event["seq"] < first] + rest
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert text_of(events) == "".join(words)
    assert events[-1]["type"] == "message_stop"
    assert browser.ask(browser.own()).status_code == 409  # it is not answered twice


@pytest.mark.parametrize(("after", "status"), [("0", 200), ("999", 200), ("", 400), ("-1", 400), ("x", 400)])
def test_what_may_be_asked_for(
    event_api: Api, browse: Browse, bedrock: Session, after: str, status: int
) -> None:
    bedrock.play("Hi")
    browser = browse(api := event_api())
    browser.start()
    heard = browser.hear_all()
    response = browser.missed(browser.own(), after)
    assert response.status_code == status
    if status == 200:
        assert response.json() == {"events": heard if after == "0" else []}
    assert browser.missed(browser.own("two"), "0").status_code == 404
    assert browse(api).missed(browser.own(), "0").status_code == 403


def test_what_is_over_is_kept_for_a_while(event_api: Api, browse: Browse, bedrock: Session) -> None:
    bedrock.play("Hi")
    browser = browse(event_api(), resume_window=0.2)
    browser.start()
    browser.hear_all()
    deadline = time.monotonic() + 10
    while browser.missed(browser.own(), 0).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert browser.missed(browser.own(), 0).status_code == 404


def test_somebody_elses_channel_is_refused(event_api: Api, browse: Browse) -> None:
    alice, bob = browse(api := event_api()), browse(api)
    for channel in (bob.own(), f"{bob.session['channels']}*", "/chat/*"):
        assert alice.subscribe(channel)["errors"][0]["errorType"] == "UnauthorizedException"
    for channel in (bob.own(), "/chat/x", "/other/x/y", f"{alice.session['channels']}*"):
        response = alice.ask(channel)
        assert (response.status_code, response.json()["error"][:12]) == (403, "channel must")
    assert alice.ask(alice.own(), authorization="forged.9999999999.00").status_code == 401
    response = httpx.post(
        f"{api.url}/event",
        json={"channel": alice.own(), "events": ["1"]},
        headers={"authorization": alice.session["ticket"]},
        trust_env=False,
    )
    assert response.status_code == 401  # tickets listen; they never publish


def test_a_channel_has_one_answer_at_a_time(event_api: Api, browse: Browse, bedrock: Session) -> None:
    bedrock.play([{"gate": "go"}, {"text": "Hi"}])
    browser = browse(event_api())
    browser.start()
    assert browser.ask(browser.own()).status_code == 409
    bedrock.open_gate("go")
    assert text_of(browser.hear_all()) == "Hi"


def test_nobody_listens_and_tokens_are_paid_for_until_a_cancel(
    event_api: Api, browse: Browse, bedrock: Session
) -> None:
    bedrock.play([{"text": "on "}, {"gate": "a"}, {"text": "and on"}, {"wait": "forever"}])
    browser = browse(api := event_api())
    browser.start()
    while text_of([browser.hear()]) != "on ":
        pass
    browser.socket.close()
    api.journal.wait(lambda journal: journal[0].happened("left"))
    bedrock.open_gate("a")
    api.journal.wait(lambda journal: "for 0 subscriptions" in str(journal))  # it goes on all the same
    assert bedrock.journal.last.state == "open"
    assert browser.cancel(browser.own()) == {"cancelled": True}
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"
    assert (exchange.text_sent, exchange.tokens_unsent) == ("on and on", 0)
    deadline = time.monotonic() + 10
    while browser.cancel(browser.own()) != {"cancelled": False}:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_cancelled_answer_ends_with_a_terminal_event(
    event_api: Api, browse: Browse, bedrock: Session
) -> None:
    bedrock.play([{"text": "on "}, {"wait": "forever"}])
    browser = browse(event_api())
    browser.start()
    while text_of([browser.hear()]) != "on ":
        pass
    browser.cancel(browser.own())
    events = browser.hear_all()
    assert types_of(events) == ["content_block_stop", "error"]
    assert events[-1]["code"] == "stream_interrupted"


def test_calls_are_signed_without_an_api_key(
    event_api: Api, browse: Browse, bedrock: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", bedrock.endpoint_url)
    bedrock.play("Signed <ü>.")
    browser = browse(event_api(access_keys={"AKIAEXAMPLE": "geheim"}, api_keys=[]), appsync_api_key="")
    browser.start()
    assert text_of(browser.hear_all()) == "Signed <ü>."


def test_a_publish_that_is_not_allowed_ends_the_answer(
    event_api: Api, browse: Browse, bedrock: Session
) -> None:
    bedrock.play([{"text": "on "}, {"wait": "forever"}])
    browser = browse(api := event_api(), appsync_api_key="wrong")
    browser.start()
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"
    assert len([each for each in api.journal if each.about == "POST /event"]) == 1
    metrics = browser.http.get("/metrics").text
    assert 'chat_ends_total{reason="not_published"} 1.0' in metrics


def test_where_the_websocket_is(event_api: Api, serve: Serve) -> None:
    aws = "https://abc.appsync-api.eu-west-1.amazonaws.com/event"
    assert realtime_url(aws) == "wss://abc.appsync-realtime-api.eu-west-1.amazonaws.com/event/realtime"
    assert realtime_url("https://chat.example/event") == "wss://chat.example/event/realtime"
    api = event_api()
    page = httpx.get(serve(**settings_for(api)), trust_env=False).text
    assert f"connect-src 'self' ws{api.url[4:]};" in page  # it is another origin
    assert "connect-src 'self';" in httpx.get(serve(), trust_env=False).text


def test_neither_a_key_nor_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(SettingsError, match="CHAT_APPSYNC_API_KEY"):
        AppSync("https://chat.example/event")
    with pytest.raises(SettingsError, match="allowed is https://HOST/event"):
        AppSync("chat.example", "da2-x")
