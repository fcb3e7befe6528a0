"""Laws of the reference handler: whatever Bedrock does, one end, and nothing shown that was not said.

Twice: over sequences of events that no Bedrock would send, in virtual time; and over generated scenarios with
any fault, played by the emulator and read from a real socket.
"""

import asyncio
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest
import uvicorn
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ConnectionClosedError, EventStreamError
from converse_emulator import Emulator
from converse_handler import sse
from converse_handler.app import create_app
from converse_handler.conversation import Answer
from converse_handler.demo_tools import DEMO_TOOLS
from converse_handler.events import (
    BlockStarted,
    BlockStopped,
    Event,
    Failed,
    Finished,
    Started,
    Text,
    Thinking,
    ToolFinished,
    ToolStarted,
)
from converse_handler.settings import Settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from urllib3.exceptions import ProtocolError, ReadTimeoutError

Json = Any

# ------------------------------------------------------------------------------- any sequence of events

indices = st.integers(0, 2)
texts = st.text(st.characters(exclude_categories=()), max_size=5)
inputs = st.sampled_from(["", "{}", '{"order_id":', '"O-1"}', "[1]", "null", "{"])
names = st.sampled_from(["order_status", "lookup_subscription", "delete_everything"])
deltas = st.one_of(
    st.builds(lambda text: {"text": text}, texts),
    st.builds(lambda text: {"reasoningContent": {"text": text}}, texts),
    st.builds(lambda text: {"reasoningContent": {"signature": text}}, texts),
    st.builds(lambda raw: {"reasoningContent": {"redactedContent": raw}}, st.binary(max_size=3)),
    st.builds(lambda piece: {"toolUse": {"input": piece}}, inputs),
    st.just({"SDK_UNKNOWN_MEMBER": {"name": "new"}}),
)
reasons = st.sampled_from(
    ["end_turn", "tool_use", "max_tokens", "guardrail_intervened", "malformed_tool_use", "new"]
)
bedrock_events = st.one_of(
    st.just({"messageStart": {"role": "assistant"}}),
    st.builds(
        lambda at, id, name: {
            "contentBlockStart": {
                "contentBlockIndex": at,
                "start": {"toolUse": {"toolUseId": id, "name": name}},
            }
        },
        indices,
        st.sampled_from(["t1", "t2"]),
        names,
    ),
    st.builds(
        lambda at, delta: {"contentBlockDelta": {"contentBlockIndex": at, "delta": delta}}, indices, deltas
    ),
    st.builds(lambda at: {"contentBlockStop": {"contentBlockIndex": at}}, indices),
    st.builds(lambda reason: {"messageStop": {"stopReason": reason}}, reasons),
    st.builds(
        lambda n: {"metadata": {"usage": {"inputTokens": n, "outputTokens": n, "totalTokens": 2 * n}}},
        st.integers(0, 9),
    ),
    st.sampled_from([{"somethingNew": {}}, {"contentBlockDelta": {}}, {"messageStop": {}}]),
)
breaks = st.sampled_from(
    [
        EventStreamError({"Error": {"Code": "throttlingException", "Message": "x"}}, "ConverseStream"),
        EventStreamError({"Error": {"Code": "", "Message": ""}}, "ConverseStream"),
        ProtocolError("Response ended prematurely"),
        ReadTimeoutError(None, "", "Read timed out."),  # type: ignore[arg-type]
        ChecksumMismatch(1, 2),
        ConnectionClosedError(endpoint_url="http://x"),
        KeyError(10),
        ConnectionResetError(104, "reset"),
        RuntimeError("a bug"),
    ]
)
# Most messages are nearly right, so that the deep places are reached, and then anything may follow.
usual = st.builds(
    lambda body, reason: [
        {"messageStart": {"role": "assistant"}},
        *body,
        {"messageStop": {"stopReason": reason}},
    ],
    st.lists(bedrock_events.filter(lambda event: "message" not in next(iter(event))), max_size=8),
    reasons,
)
calls = st.builds(
    lambda events, cut, broken: [*events[:cut], *([] if broken is None else [broken])],
    st.one_of(usual, st.lists(bedrock_events, max_size=8)),
    st.integers(0, 12),
    st.none() | breaks,
)


class Scripted:
    """A model and its calls: what is written, without waiting."""

    def __init__(self, scripts: list[list[Json]]) -> None:
        self._scripts = iter([*scripts, []])
        self.open = 0
        self.said: list[str] = []
        self.whole = False  # the last message had its messageStop, and its body ended without an error

    def start(self, _request: Json) -> "ScriptedCall":
        self.open += 1
        self.whole = False
        return ScriptedCall(self, next(self._scripts, []))


class ScriptedCall:
    def __init__(self, model: Scripted, items: list[Json]) -> None:
        self._model, self._items = model, iter(items)
        self._stopped = False

    async def next(self) -> Json:
        item = next(self._items, None)
        if isinstance(item, Exception):
            raise item
        if item is None:
            self._model.whole = self._stopped
        else:
            self._stopped = self._stopped or "messageStop" in item
            delta = item.get("contentBlockDelta", {}).get("delta", {})
            self._model.said.append(delta.get("text", ""))
        return item

    def close(self) -> None:
        self._model.open -= 1


def answered(scripts: list[list[Json]]) -> tuple[list[Event], Scripted]:
    async def main() -> tuple[list[Event], Scripted]:
        model = Scripted(scripts)
        answer = Answer([], model, DEMO_TOOLS, Settings(backoff=1e-9, tool_rounds=2), chance=lambda: 0.0)
        async with aclosing(answer.events()) as events:
            return [event async for event in events], model

    return asyncio.run(main())


def check_order(events: list[Event]) -> None:
    """One start, one end; blocks one at a time, counted from 0; every tool that starts ends."""
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished | Failed)
    assert sum(isinstance(event, Started | Finished | Failed) for event in events) == 2
    open_block, upcoming, tools = None, 0, set()
    for event in events[1:-1]:
        match event:
            case BlockStarted(index=index):
                assert (open_block, index) == (None, upcoming)
                open_block, upcoming = index, index + 1
            case Text(index=index, text=text) | Thinking(index=index, text=text):
                assert index == open_block
                assert text
            case BlockStopped(index=index):
                assert index == open_block
                open_block = None
            case ToolStarted(id=id):
                assert open_block is None
                assert id not in tools
                tools.add(id)
            case ToolFinished(id=id):
                tools.remove(id)
    assert open_block is None
    assert tools == set()


@given(st.lists(calls, min_size=1, max_size=4))
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_events_has_one_end_and_shows_a_prefix(scripts: list[list[Json]]) -> None:
    events, model = answered(scripts)
    check_order(events)
    assert "".join(model.said).startswith("".join(event.text for event in events if isinstance(event, Text)))
    assert model.whole or isinstance(events[-1], Failed)
    assert model.open == 0
    for number, event in enumerate(events, 1):
        assert sse.encode(event, number).endswith(b"}\n\n")


# ------------------------------------------------------------------------------------- any scenario

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
contents = st.one_of(
    st.builds(
        lambda text, how: {"text": text, "split": how}, words, st.sampled_from(["tokens", "characters"])
    ),
    st.builds(lambda text: {"reasoning": {"text": text, "signature": "c2ln"}}, words),
    st.builds(
        lambda name, given: {"tool_use": {"name": name, "input": given}},
        names,
        st.sampled_from([{}, {"order_id": "O-1"}, {"customer_id": "C-404"}, '{"order_id": "O-', ""]),
    ),
    st.just({"wait": "5ms"}),
)
exceptions = st.sampled_from(
    [
        "throttlingException",
        "modelStreamErrorException",
        "internalServerException",
        "serviceUnavailableException",
        "validationException",
        {"exception": "modelTimeoutException"},  # the service model's stream has no such member
    ]
)
cuts = st.integers(1, 100) | st.floats(0.05, 0.95)
faults = st.one_of(
    st.builds(lambda name: [{"throw": name}], exceptions),
    st.just([{"throw": {"error": "InternalFailure", "message": "x"}}]),
    st.builds(lambda crc: [{"corrupt": crc}, {"text": "x"}], st.sampled_from(["prelude_crc", "message_crc"])),
    st.builds(
        lambda at, end: [{"cut": at}, {"text": "x" * 100, "split": "whole"}, end],
        cuts,
        st.sampled_from(["finish", "hangup", "reset"]),
    ),
    st.sampled_from([["finish"], ["hangup"], ["reset"], [{"wait": "forever"}]]),
    st.builds(lambda reason: [{"stop": reason}], reasons),
)
refusals = st.builds(
    lambda name: [{"refuse": name}],
    st.sampled_from(["ThrottlingException", "ValidationException", "ServiceUnavailableException"]),
)
replies = st.one_of(
    refusals,
    st.builds(lambda body, fault: [*body, *fault], st.lists(contents, max_size=4), faults),
    st.lists(contents, min_size=1, max_size=4),
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def handler(emulator: Emulator) -> Iterator[str]:
    """A handler with short limits over the emulator; its URL."""
    limits = Settings(
        first_byte_timeout=0.5, between_bytes_timeout=0.5, total_timeout=5, tool_rounds=2, backoff=0.001
    )
    client = emulator.client(retries={"total_max_attempts": 1})
    config = uvicorn.Config(create_app(limits, client), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(30)
    client.close()


@given(data=st.data())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_scenario_with_any_fault_has_one_end_and_shows_a_prefix(
    data: st.DataObject, emulator: Emulator, handler: str
) -> None:
    emulator.reset()
    for reply in data.draw(st.lists(replies, min_size=1, max_size=2)):
        emulator.play(reply)
    body = {"messages": [{"role": "user", "content": "Tell me."}]}
    response = httpx.post(f"{handler}/chat", json=body, timeout=30, trust_env=False)
    events = [line.removeprefix("data: ") for line in response.text.split("\n") if line.startswith("data: ")]
    assert events.pop() == "[DONE]"
    read = [json.loads(event) for event in events]
    assert [event["type"] in ("message_stop", "error") for event in read].count(True) == 1
    assert read[-1]["type"] in ("message_stop", "error")
    shown = "".join(
        event["delta"].get("text", "") for event in read if event["type"] == "content_block_delta"
    )
    sent = "".join(exchange.text_sent for exchange in emulator.journal.wait(1))
    assert sent.startswith(shown)
    numbers = [int(line.rpartition("-")[2]) for line in response.text.split("\n") if line.startswith("id: ")]
    assert numbers == list(itertools.islice(itertools.count(1), len(read)))
