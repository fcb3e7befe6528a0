"""The response in virtual time: framing, heartbeats, and a browser that leaves or stops reading."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, MutableMapping
from typing import Any

import pytest
from converse_handler import sse
from converse_handler.answers import Answers
from converse_handler.backlog import AHEAD
from converse_handler.conversation import Answer
from converse_handler.events import Event, Failed, Finished, Started, Text, ToolFinished, Usage
from converse_handler.metrics import Metrics, Record
from converse_handler.settings import Settings
from converse_handler.stream import EventStream
from converse_handler.tools import Tools

Message = MutableMapping[str, Any]
Virtually = Callable[[Coroutine[Any, Any, Any]], Any]
NOBODY: Any = None  # no model is asked: the answer only lends its name to the log
FINISHED = Finished("end_turn", False, Usage(7, 3))


class Browser:
    """Both ends of an ASGI connection: leaves at `leaves_at`, reads nothing from `stops_at` on."""

    def __init__(self, leaves_at: float = 1e6, stops_at: float = 1e6) -> None:
        self._leaves_at, self._stops_at = leaves_at, stops_at
        self.got: list[tuple[float, Message]] = []

    async def receive(self) -> Message:
        await asyncio.sleep(self._leaves_at)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._stops_at:
            await asyncio.sleep(1e6)
        self.got.append((now, message))

    @property
    def body(self) -> list[tuple[float, bytes]]:
        return [(at, message["body"]) for at, message in self.got if message.get("body")]

    @property
    def complete(self) -> bool:
        return self.got[-1][1] == {"type": "http.response.body", "body": b"", "more_body": False}


class Source:
    """Events with silences between them; knows when it was let go of."""

    def __init__(self, items: Iterable[Event | float]) -> None:
        self._items = items
        self.told = 0
        self.closed_at: float | None = None

    async def events(self) -> AsyncGenerator[Event]:
        try:
            for item in self._items:
                if isinstance(item, float):
                    await asyncio.sleep(item)
                else:
                    self.told += 1
                    yield item
        finally:
            self.closed_at = asyncio.get_running_loop().time()


def responding(source: Source, browser: Browser, metrics: Metrics) -> Coroutine[Any, Any, None]:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        settings = Settings()
        answer = Answer([], NOBODY, Tools([]), settings)
        answer.id = "msg_1"
        answer.events = source.events  # type: ignore[method-assign]
        blocks = Answers(settings).begin(answer, lambda: Record(answer, metrics, now=loop.time))
        stream = EventStream(blocks, "chat/msg_1", heartbeat=15, patience=30)
        await stream({}, browser.receive, browser.send)

    return main()


def respond(
    virtually: Virtually, *items: Event | float, browser: Browser | None = None
) -> tuple[Browser, Source, Metrics]:
    browser, source, metrics = browser or Browser(), Source(items), Metrics()
    virtually(responding(source, browser, metrics))
    return browser, source, metrics


def test_a_whole_response(virtually: Virtually) -> None:
    events: tuple[Event, ...] = (Started("msg_1"), Text(0, "Hi"), FINISHED)
    browser, _, _ = respond(virtually, *events)
    (_, start), *rest = browser.got
    headers = [*sse.HEADERS, (b"content-location", b"chat/msg_1")]
    assert start == {"type": "http.response.start", "status": 200, "headers": headers}
    assert [data for _, data in browser.body] == [
        *(sse.encode(event, number, "msg_1") for number, event in enumerate(events, 1)),
        sse.DONE,
    ]
    assert all(message["more_body"] for _, message in rest[:-1])
    assert browser.complete


def test_the_headers_go_out_before_there_is_anything_to_say(virtually: Virtually) -> None:
    browser, _, _ = respond(virtually, 2.0, Started("msg_1"), FINISHED)
    assert browser.got[0][0] == 0
    assert browser.body[0][0] == 2.0


def test_heartbeats_only_while_nothing_else_flows(virtually: Virtually) -> None:
    browser, _, _ = respond(virtually, Started("msg_1"), 10.0, Text(0, "a"), 40.0, FINISHED)
    beats = [at for at, data in browser.body if data == sse.HEARTBEAT]
    assert beats == [25.0, 40.0]  # 15 s after the text, and 15 s after that


def test_no_heartbeat_for_a_stream_that_flows(virtually: Virtually) -> None:
    flow: list[Event | float] = [14.0, Text(0, "a")]
    browser, _, _ = respond(virtually, *flow * 20, FINISHED)
    assert sse.HEARTBEAT not in [data for _, data in browser.body]


@pytest.mark.parametrize("items", [(1e5,), (Started("msg_1"), 1e5)])
def test_a_browser_that_leaves_ends_the_answer_at_once(
    virtually: Virtually, items: tuple[Event | float, ...]
) -> None:
    browser, source, metrics = respond(virtually, *items, browser=Browser(leaves_at=4.0))
    assert source.closed_at == 4.0
    assert not browser.complete
    assert metrics.registry.get_sample_value("chat_ends_total", {"reason": "client_left"}) == 1
    assert metrics.registry.get_sample_value("chat_open_streams") == 0


def test_a_browser_that_takes_nothing_counts_as_gone(virtually: Virtually) -> None:
    browser = Browser(stops_at=5.0)
    _, source, metrics = respond(virtually, Started("msg_1"), 6.0, Text(0, "a"), 1e5, browser=browser)
    assert source.closed_at == 36.0
    assert metrics.registry.get_sample_value("chat_ends_total", {"reason": "client_left"}) == 1


def test_a_browser_that_reads_slowly_slows_the_answer_down(virtually: Virtually) -> None:
    flow: list[Event | float] = [Text(0, "a")] * (3 * AHEAD)
    browser = Browser(stops_at=5.0)
    _, source, _ = respond(virtually, Started("msg_1"), 6.0, *flow, FINISHED, browser=browser)
    assert source.told == 1 + AHEAD  # what was sent, and what waits
    assert source.closed_at == 36.0


def test_what_is_measured(virtually: Virtually, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "converse_handler.chat")
    _, _, metrics = respond(
        virtually,
        Started("msg_1"),
        0.8,
        Text(0, "secret"),
        ToolFinished("t", "n", None),
        ToolFinished("t", "n", "timeout"),
        2.0,
        Text(0, "b"),
        0.5,
        Text(0, "c"),
        FINISHED,
    )
    value = metrics.registry.get_sample_value
    assert value("chat_first_byte_seconds_count") == 1
    assert value("chat_first_byte_seconds_sum") == pytest.approx(0.8)
    assert value("chat_gap_seconds_count") == 2
    assert value("chat_gap_seconds_sum") == pytest.approx(2.5)
    assert value("chat_ends_total", {"reason": "end_turn"}) == 1
    assert value("chat_tool_calls_total", {"result": "ok"}) == 1
    assert value("chat_tool_calls_total", {"result": "timeout"}) == 1
    assert value("chat_tokens_total", {"kind": "input"}) == 7
    assert value("chat_tokens_total", {"kind": "output"}) == 3
    assert value("chat_open_streams") == 0
    (line,) = caplog.messages
    assert (
        '"ended": "end_turn", "seconds": 3.3, "first_byte_seconds": 0.8, "longest_gap_seconds": 2.0' in line
    )
    assert "secret" not in line


def test_a_failure_is_counted_by_its_code(virtually: Virtually) -> None:
    _, _, metrics = respond(virtually, Started("msg_1"), Failed("throttled", "Busy.", True, False))
    assert metrics.registry.get_sample_value("chat_ends_total", {"reason": "throttled"}) == 1
