"""The chat over a WebSocket API, with real clients at both ends and the emulator behind it."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from converse_emulator import Exchange, Session
from converse_hops.websocket.api import WebSocketApi
from converse_hops.websocket.limits import Unknowns
from websockets.sync.client import ClientConnection, connect

from tests.handler.sockets import QUESTION, WAIT, Reader, chat_api
from tests.hops.websocket.conftest import slow_browser

LONG = {"model_id": "us.anthropic.claude-sonnet-4-20250514-v1:0", "max_tokens": 64_000}
BOOK = "".join(f"{number:06d} " for number in range(20_000))  # more than anything between keeps
Serve = Callable[..., WebSocketApi]


@pytest.fixture
def serve_chat(bedrock: Session) -> Iterator[Serve]:  # noqa: ARG001 (it is the environment's Bedrock)
    with ExitStack() as stack:
        yield lambda hop=None, **settings: stack.enter_context(chat_api(hop, **settings))


@pytest.fixture
def open_chat(serve_chat: Serve) -> Iterator[Callable[..., Reader]]:
    """A client of a chat of its own: `reader = open_chat(heartbeat=0.1)`."""
    with ExitStack() as stack:

        def connected(hop: Any = None, **settings: Any) -> Reader:
            api = serve_chat(hop, **settings)
            return Reader(stack.enter_context(socket_to(api)))

        yield connected


def socket_to(api: WebSocketApi) -> ClientConnection:
    return connect(api.connect_url, proxy=None, open_timeout=WAIT, ping_interval=None)


def ended(bedrock: Session) -> Exchange:
    """The only call of Bedrock, once it is over."""
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended_at is not None
    return exchange


def test_text_arrives_as_the_model_says_it(open_chat: Callable[..., Reader], bedrock: Session) -> None:
    words = ["One ", "two ", "three\n", "🌍 four"]
    steps: list[Any] = [{"text": words[0]}]
    for number, word in enumerate(words[1:], 1):
        steps += [{"gate": f"{number}"}, {"text": word}]
    bedrock.play(steps)
    reader = open_chat()
    reader.ask()
    for number, word in enumerate(words, 1):
        reader.until(word)  # the next word is said when this one was seen
        bedrock.open_gate(f"{number}")
    stop = reader.rest()
    assert reader.text == "".join(words)
    assert (stop["type"], stop["stop_reason"], stop["truncated"]) == ("message_stop", "end_turn", False)
    assert reader.types[:3] == ["message_start", "content_block_start", "content_block_delta"]
    assert reader.types[-2:] == ["content_block_stop", "message_stop"]
    assert ended(bedrock).ended == "finished"


def test_a_tool_pause(open_chat: Callable[..., Reader], bedrock: Session) -> None:
    bedrock.play(scenario="tools/round-trip")
    reader = open_chat()
    reader.ask()
    reader.rest()
    at = reader.types.index("tool_start")
    assert reader.events[at + 1].items() >= {"type": "tool_end", "ok": True}.items()
    assert "content_block_delta" in reader.types[at:]
    assert reader.types[-1] == "message_stop"


@pytest.mark.parametrize(
    ("scenario", "end"),
    [
        ("exceptions/throttling", {"type": "error", "code": "throttled", "retryable": True, "partial": True}),
        ("resets/hangup-after-text", {"type": "error", "code": "stream_interrupted", "partial": True}),
        ("resets/after-text", {"type": "error", "code": "stream_interrupted", "partial": True}),
        ("refusals/access-denied", {"type": "error", "code": "access_denied", "partial": False}),
        ("stop-reasons/max-tokens", {"type": "message_stop", "truncated": True}),
    ],
)
def test_every_answer_has_a_terminal_event(
    open_chat: Callable[..., Reader], bedrock: Session, scenario: str, end: dict[str, Any]
) -> None:
    bedrock.play(scenario=scenario)
    reader = open_chat()
    reader.ask()
    assert reader.rest().items() >= end.items()
    assert reader.types[0] == "message_start"
    assert reader.types.count("content_block_start") == reader.types.count("content_block_stop")


def test_a_browser_that_leaves_stops_bedrock_within_a_second(
    open_chat: Callable[..., Reader], bedrock: Session
) -> None:
    bedrock.play([{"text": "It renews on "}, {"wait": "forever"}])
    reader = open_chat()
    reader.ask()
    reader.until("on ")
    left = time.time()
    reader.socket.close()
    exchange = ended(bedrock)
    assert exchange.ended == "client left"
    assert exchange.started_at + exchange.ended_at - left < 3  # type: ignore[operator]


@pytest.mark.parametrize("steps", [[{"text": "word " * 2000, "every": "5ms"}], [{"wait": "forever"}]])
def test_a_post_or_a_heartbeat_that_finds_nobody_stops_bedrock(
    open_chat: Callable[..., Reader], bedrock: Session, steps: list[Any]
) -> None:
    bedrock.play([{"text": "It renews on "}, *steps])
    reader = open_chat({"routes": ("$connect", "$default")}, heartbeat=0.2)  # nobody tells that it left
    reader.ask()
    reader.until("It renews on ")
    left = time.time()
    reader.vanish()
    exchange = ended(bedrock)
    assert exchange.ended == "client left"
    assert exchange.started_at + exchange.ended_at - left < 3  # type: ignore[operator]


def test_silence_is_filled_with_pings(open_chat: Callable[..., Reader], bedrock: Session) -> None:
    bedrock.play([{"wait": "500ms"}, {"text": "Hello"}])
    reader = open_chat(heartbeat=0.1)
    reader.ask()
    reader.rest()
    assert reader.text == "Hello"
    assert reader.pings >= 3


def test_deltas_that_pile_up_behind_a_slow_post_are_joined(
    open_chat: Callable[..., Reader], bedrock: Session
) -> None:
    text = "".join(f"{number} " for number in range(300))
    bedrock.play([{"text": text, "every": "2ms"}])
    reader = open_chat({"post_latency": (0.0, 0.1)})  # side by side they would overtake each other
    reader.ask()
    reader.rest()
    deltas = reader.types.count("content_block_delta")
    assert reader.text == text
    assert 1 < deltas < 100


def test_a_reader_that_is_slow_gets_everything(serve_chat: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": BOOK, "split": "whole"}])
    api = serve_chat({"unknowns": Unknowns(client_buffer=30_000)}, **LONG)
    with slow_browser(api) as socket:
        reader = Reader(socket)
        reader.ask()
        api.journal.wait(lambda journal: bool(journal.last.of("failed")))  # the first 429
        reader.rest()
    assert reader.text == BOOK
    assert ended(bedrock).ended == "finished"


def test_a_reader_that_takes_nothing_is_given_up(serve_chat: Serve, bedrock: Session) -> None:
    bedrock.play([{"text": BOOK, "split": "whole"}, {"text": "more " * 1000, "every": "100ms"}])
    api = serve_chat({"unknowns": Unknowns(client_buffer=30_000)}, between_bytes_timeout=0.5, **LONG)
    with slow_browser(api) as socket:
        reader = Reader(socket)
        reader.ask()
        assert ended(bedrock).ended == "client left"
        assert reader.closed() == 1000  # a cut, for there was no terminal event
    assert reader.types[-1] == "content_block_delta"


def test_it_outlives_the_integration_timeout(open_chat: Callable[..., Reader], bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "late"}, {"text": "two"}])
    reader = open_chat({"speed": 100})  # 29 s are 290 ms
    reader.ask()
    reader.until("one ")
    time.sleep(0.6)
    bedrock.open_gate("late")
    assert reader.rest()["type"] == "message_stop"  # and nothing else came: `next` looks at every message
    assert reader.text == "one two"


def test_cancel_stops_the_model_and_ends_the_answer(
    open_chat: Callable[..., Reader], bedrock: Session
) -> None:
    bedrock.play([{"text": "It renews on "}, {"wait": "forever"}])
    reader = open_chat()
    reader.ask()
    reader.until("on ")
    reader.socket.send('{"action": "cancel"}')
    stop = reader.rest()
    assert (stop["type"], stop["code"], stop["partial"]) == ("error", "stream_interrupted", True)
    assert reader.types[-2] == "content_block_stop"
    assert ended(bedrock).ended == "client left"


def test_a_new_question_ends_the_answer_before(open_chat: Callable[..., Reader], bedrock: Session) -> None:
    bedrock.play([{"text": "It renews on "}, {"wait": "forever"}])
    bedrock.play("Yes.")
    reader = open_chat()
    reader.ask()
    reader.until("on ")
    reader.socket.send(json.dumps(QUESTION))
    assert reader.rest()["code"] == "stream_interrupted"
    reader.events = []
    assert reader.rest()["stop_reason"] == "end_turn"
    assert reader.text == "Yes."


def test_answers_go_to_the_connection_that_asked_and_to_no_other(serve_chat: Serve, bedrock: Session) -> None:
    bedrock.play("For the one who asked.")
    api = serve_chat()
    with socket_to(api) as asking, socket_to(api) as other:
        api.journal.wait(lambda journal: len(journal) == 2)
        names = [passage.about.removeprefix("connection ") for passage in api.journal]
        reader = Reader(asking)
        forged = {"connectionId": names[1], "requestContext": {"connectionId": names[1]}}
        reader.ask(**forged)
        reader.rest()
        assert reader.text == "For the one who asked."
        with pytest.raises(TimeoutError):
            other.recv(timeout=0.2)
    assert sorted(passage.total("passed") for passage in api.journal)[0] == 0


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("hello", "the body must be JSON"),
        (b"\xff", "the body must be JSON"),
        ('{"action": "chat", "messages": []}', "at least one message"),
        ('{"action": "chat", "messages": [{"role": "assistant", "content": "x"}]}', "must be 'user'"),
    ],
)
def test_a_question_that_is_none_is_an_error(
    open_chat: Callable[..., Reader], bedrock: Session, message: str | bytes, said: str
) -> None:
    reader = open_chat()
    reader.socket.send(message)
    error = reader.rest()
    assert reader.types == ["message_start", "error"]
    assert error.pop("message").find(said) >= 0
    assert error == {"type": "error", "code": "invalid_request", "retryable": False, "partial": False}
    assert list(bedrock.journal) == []


def test_pings_and_cancels_without_an_answer_are_ignored(
    open_chat: Callable[..., Reader], bedrock: Session
) -> None:
    bedrock.play("Hello")
    reader = open_chat()
    reader.socket.send('{"action": "ping"}')
    reader.socket.send('{"action": "cancel"}')
    reader.ask()
    assert reader.rest()["stop_reason"] == "end_turn"
