"""Listening to answers that come as messages: when they are over, and how the way they end is told."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from converse_contract import Limits, ReferenceDialect, Target, listen
from converse_contract.delivery import numbered
from converse_contract.delivery.websocket import WebSocketListener
from converse_contract.delivery.wiring import REQUESTS
from converse_contract.listen import HandlerUnreachable, Listener
from converse_contract.transcript import Finished, Heartbeat, Started, Text, Transcript
from websockets.asyncio.server import ServerConnection, serve

START = {"seq": 1, "type": "message_start", "id": "m"}
WORD = {"seq": 2, "type": "content_block_delta", "index": 0, "delta": {"text": "Hi"}}
STOP = {"seq": 3, "type": "message_stop", "stop_reason": "end_turn", "truncated": False, "usage": None}
LIMITS = Limits(first_byte=0.0, between_bytes=0.3, total=60.0, tool=0.0, attempts=0)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen, "SLACK", 0.2)
    monkeypatch.setattr(numbered, "MENDING", 0.3)
    monkeypatch.setattr(numbered, "LINGER", 0.1)


async def heard(
    messages: Sequence[Any], *, close: bool = False, doing: Callable[[Listener], Any] | None = None
) -> tuple[Transcript, list[str]]:
    """What a browser gets of a server that says this, and what it has asked."""
    asked: list[str] = []

    async def answer(socket: ServerConnection) -> None:
        asked.append(str(await socket.recv()))
        for message in messages:
            await socket.send(json.dumps(message))
        if not close:
            await socket.wait_closed()

    async with serve(answer, "127.0.0.1", 0) as server, httpx.AsyncClient(timeout=None) as client:
        port = next(iter(server.sockets)).getsockname()[1]
        dialect = ReferenceDialect(request=REQUESTS["websocket"])
        target = Target(f"ws://127.0.0.1:{port}/prod", dialect, LIMITS, carrier=WebSocketListener)
        listener = target.listener(client)
        listening = asyncio.create_task(listener.listen("one", None))
        if doing:
            await doing(listener)
        return await listening, asked


def test_an_answer_is_over_with_its_terminal_event() -> None:
    transcript, (asked,) = asyncio.run(heard([START, {"type": "ping"}, WORD, STOP]))
    assert [type(one.event) for one in transcript.arrivals] == [Started, Heartbeat, Text, Finished]
    assert [one.id for one in transcript.arrivals] == ["1", None, "2", "3"]
    assert (transcript.ending, transcript.status, transcript.text) == ("complete", 101, "Hi")
    assert json.loads(asked)["action"] == "chat"


def test_what_comes_after_the_end_is_written_down() -> None:
    transcript, _ = asyncio.run(heard([START, WORD, STOP, {**WORD, "seq": 4}]))
    assert [type(one.event) for one in transcript.arrivals] == [Started, Text, Finished, Text]


def test_an_end_that_overtook_something_is_waited_with() -> None:
    transcript, _ = asyncio.run(heard([STOP, START, WORD]))
    assert [one.id for one in transcript.arrivals] == ["3", "1", "2"]
    assert transcript.ending == "complete"


def test_what_never_comes_is_not_waited_for_for_ever() -> None:
    transcript, _ = asyncio.run(heard([START, STOP]))
    assert (transcript.ending, transcript.text) == ("complete", "")
    assert transcript.ended_at >= 0.3


def test_a_connection_that_closes_before_the_end_is_a_cut() -> None:
    transcript, _ = asyncio.run(heard([START, WORD], close=True))
    assert (transcript.ending, transcript.text, transcript.terminal) == ("cut", "Hi", None)


def test_silence_is_given_up_in_time() -> None:
    transcript, _ = asyncio.run(heard([START]))
    assert transcript.ending == "timed out"


def test_leaving_closes_the_connection() -> None:
    async def leave(listener: Listener) -> None:
        await listener.until(lambda: listener.saw(Text))
        listener.leave()

    transcript, _ = asyncio.run(heard([START, WORD], doing=leave))
    assert transcript.ending == "we left"


def test_where_there_is_no_websocket_nobody_is_judged() -> None:
    async def ask(url: str) -> None:
        async with httpx.AsyncClient() as client:
            await (
                Target(url, ReferenceDialect(), LIMITS, carrier=WebSocketListener)
                .listener(client)
                .listen("one", None)
            )

    with pytest.raises(HandlerUnreachable, match="no WebSocket at"):
        asyncio.run(ask("ws://127.0.0.1:1/prod"))
