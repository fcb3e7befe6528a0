"""Laws of faults: whatever goes wrong and wherever, these hold, in memory and on a real socket."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import pytest
from converse_emulator.choosing.request import Request
from converse_emulator.framing.damage import DAMAGES
from converse_emulator.http.asgi import Receive, Scope
from converse_emulator.http.asgi import Send as SendMessage
from converse_emulator.language import faults as fa
from converse_emulator.language import scenario as sc
from converse_emulator.language.order import violations
from converse_emulator.language.place_form import misplaced
from converse_emulator.playing.acts import (
    Beat,
    Ended,
    ErrorCode,
    Finish,
    Hangup,
    Head,
    Hold,
    Reset,
    Send,
    Timeline,
    Torn,
    part,
)
from converse_emulator.playing.clock import Clock, RealClock, VirtualClock
from converse_emulator.playing.gates import Gates
from converse_emulator.playing.player import play
from converse_emulator.playing.wire import MemoryWire, Wire
from converse_emulator.server import Server
from converse_emulator.spelling.timeline import compile_reply
from converse_emulator.transport import connected
from hypothesis import given, settings
from hypothesis import strategies as st

unhurried = settings(deadline=None)
on_a_socket = settings(deadline=None, max_examples=100)

ENDINGS = (Finish, Hangup, Reset, Hold)

WORDS = st.sampled_from(["Your subscription ", "renews ", "", "你好 🌍 ", "Grüße"])
CONTENT: st.SearchStrategy[sc.Step] = (
    st.builds(sc.Text, WORDS, split=st.sampled_from(["words", "characters", "whole"]))
    | st.builds(sc.ToolUse, st.sampled_from(["find", "look"]), st.just({"a": "b"}))
    | st.builds(sc.Bytes, st.binary(max_size=5))
)
PARTS = st.sampled_from(["prelude", "prelude_crc", "headers", "payload", "message_crc"])
AMOUNTS = st.integers(0, 200) | st.floats(0.01, 0.99)
DEPTHS = AMOUNTS | PARTS
CODES = st.sampled_from(ErrorCode)
FRAME: st.SearchStrategy[sc.Step] = (
    st.builds(fa.Corrupt, st.sampled_from(sorted(DAMAGES)) | st.integers(0, 200))
    | st.builds(fa.Drop)
    | st.builds(fa.Duplicate)
    | st.builds(fa.Swap)
    | st.builds(fa.Cut, DEPTHS)
    | st.builds(fa.Tear, AMOUNTS)
)
INSERTED: st.SearchStrategy[sc.Step] = (
    st.builds(fa.Unknown, st.just("newEvent"), st.just({"x": 1}))
    | st.builds(fa.Wild, st.binary(max_size=9))
    | st.builds(fa.GoAway, CODES)
)
DELIVERY: st.SearchStrategy[sc.Step] = (
    st.builds(fa.Chunks, st.sampled_from(["due", "frames", "code_points"]) | st.integers(1, 300))
    | st.builds(fa.Drip, st.integers(20, 300), st.just(0.001))
    | st.builds(
        fa.HeadSays,
        st.none() | st.sampled_from([200, 307, 502]),
        st.just({"X-Fault": "yes"}),
        st.none() | st.sampled_from(["chunked", "exact", "too_long", "too_short"]) | st.integers(0, 500),
        st.booleans(),
    )
)
BREAKS: st.SearchStrategy[sc.Step] = (
    st.builds(sc.Reset, CODES, st.booleans())
    | st.builds(sc.Hangup, st.booleans())
    | st.builds(fa.Trickle, st.sampled_from(["interim", "event", "text", "byte"]), st.just(0.01))
    | st.sampled_from([sc.Finish(), sc.Throw("throttlingException"), sc.Wait(sc.FOREVER)])
)
FIRST: st.SearchStrategy[sc.Step] = st.builds(fa.Interim, st.sampled_from([100, 103])) | st.builds(
    fa.Tear, AMOUNTS, st.just(True)
)
PLACES = st.builds(
    fa.Place,
    st.sampled_from(["messageStart", "contentBlockDelta", "tool_use", "text", "metadata", "bytes"]),
    st.sampled_from([1, 2, -1]),
    after=st.booleans(),
    inside=st.none() | DEPTHS,
) | st.one_of(
    st.builds(fa.Place, frame=st.integers(1, 9), after=st.booleans()),
    st.builds(fa.Place, byte=st.integers(0, 1500)),
    st.builds(fa.Place, time=st.floats(0, 1)),
    st.builds(fa.Place, fraction=st.floats(0.01, 0.99)),
    st.builds(fa.Place, block=st.sampled_from([0, 1, "find"])),
)
PLACED = st.builds(sc.Placed, FRAME | INSERTED | DELIVERY | BREAKS, PLACES).filter(
    lambda placed: not isinstance(placed.step, fa.HeadSays) and not misplaced(placed.step, placed.place)
)


def _in_order(reply: sc.Reply) -> bool:
    return not violations([(step, "") for step in reply])


REPLIES: st.SearchStrategy[sc.Reply] = st.builds(
    lambda first, steps, last, placed: (*first, *steps, *last, *placed),
    st.lists(FIRST, max_size=1),
    st.lists(st.one_of(CONTENT, CONTENT, FRAME, INSERTED, DELIVERY), max_size=6),
    st.lists(BREAKS, max_size=1),
    st.lists(PLACED, max_size=2),
).filter(_in_order)
OPERATIONS = st.sampled_from(["ConverseStream", "Converse"])
SEEDS = st.integers(0, 9).map(str)
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def compiled(reply: sc.Reply, operation: str, seed: str) -> Timeline:
    request = Request(operation, MODEL, {}, {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})
    return compile_reply(reply, request, seed=seed, now=0)


@unhurried
@given(REPLIES, OPERATIONS, SEEDS)
def test_time_never_runs_backwards_and_there_is_one_end(reply: sc.Reply, operation: str, seed: str) -> None:
    beats = compiled(reply, operation, seed).beats
    assert all(0 <= sooner.at <= later.at for sooner, later in pairwise(beats))
    assert [beat for beat in beats if isinstance(beat.act, ENDINGS)] == [beats[-1]]


@unhurried
@given(REPLIES, OPERATIONS, SEEDS)
def test_there_is_one_head_and_what_comes_before_it_is_interim(
    reply: sc.Reply, operation: str, seed: str
) -> None:
    acts = [beat.act for beat in compiled(reply, operation, seed).beats]
    heads = [act.act if isinstance(act, Torn) else act for act in acts]
    statuses = [head.status for head in heads if isinstance(head, Head)]
    assert all(status < 200 for status in statuses[:-1])
    assert statuses == sorted(statuses)


@unhurried
@given(REPLIES, OPERATIONS, SEEDS)
def test_a_seed_makes_the_same_timeline(reply: sc.Reply, operation: str, seed: str) -> None:
    assert compiled(reply, operation, seed) == compiled(reply, operation, seed)


@unhurried
@given(REPLIES, OPERATIONS, SEEDS)
def test_what_differs_from_an_answer_that_goes_right_is_marked(
    reply: sc.Reply, operation: str, seed: str
) -> None:
    """An act that is not marked is one of the answer without the faults."""
    content = tuple(step for step in reply if isinstance(step, sc.Content))
    right = {type(beat.act) for beat in compiled(content, operation, seed).beats}
    for beat in compiled(reply, operation, seed).beats:
        assert beat.injected or type(beat.act) in right


@unhurried
@given(REPLIES, OPERATIONS, SEEDS)
def test_no_more_tokens_are_sent_than_the_answer_has(reply: sc.Reply, operation: str, seed: str) -> None:
    timeline = compiled(reply, operation, seed)
    sent = sum(beat.act.tokens for beat in timeline.beats if isinstance(beat.act, Send))
    assert 0 <= sent <= timeline.tokens


# ---------------------------------------------------------------------------- in memory and on a socket


class Notes:
    """A record that nobody reads."""

    def __init__(self, origin: float) -> None:
        self.origin = origin

    def performed(self, beats: Sequence[Beat], first: int, end: int, actual: float) -> None:
        pass

    def ended(self, how: Ended, after: float) -> None:
        pass


async def played(timeline: Timeline, wire: Wire, clock: Clock) -> None:
    await play(timeline, wire, clock, Gates(), Notes(clock.now()))


def expected(timeline: Timeline) -> tuple[bytes, str]:
    """What HTTP/1.1 makes of what comes to a wire in memory, and how it ends."""
    beats = timeline.beats
    if isinstance(beats[-1].act, Hold):  # the client leaves when it has got what comes before it
        beats = (*beats[:-1], Beat(beats[-1].at, Hangup()))
    wire = MemoryWire()
    asyncio.run(played(Timeline(beats, 0), wire, VirtualClock()))
    data, end, chunked, owed = b"", "FIN", False, 0
    acts: list[tuple[str, Any]] = wire.acts
    for name, what in acts:
        match name, what:
            case "head", (status, headers):
                data += head_bytes(status, headers)
                if status >= 200:
                    framing = {key.lower(): value for key, value in headers}
                    chunked, owed = "transfer-encoding" in framing, int(framing.get("content-length", 0))
            case "send", bytes(body):
                data += chunk_bytes(body) if chunked else body
                owed = max(0, owed - len(body))
            case "tear", (Head(status, headers), at):
                data += part(head_bytes(status, headers), at)
            case "tear", (Send(body), at):
                data += part(chunk_bytes(body) if chunked else body, at)
            case "raw", bytes(raw):
                data += raw
            case "finish", _:
                end = "open" if not owed else "FIN"
                data += b"0\r\n\r\n" if chunked else b""
            case "reset", _:
                end = "RST"
    return data, end


def head_bytes(status: int, headers: Sequence[tuple[str, str]]) -> bytes:
    fields = (f"{name}: {value}" for name, value in headers)
    lines = (f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *fields, "")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def chunk_bytes(body: bytes) -> bytes:
    return f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""


class Playing:
    """A server that plays one timeline after the other."""

    def __init__(self) -> None:
        self.timeline = Timeline((), 0)
        self._server = Server(self._app, "127.0.0.1", 0)

    async def _app(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        await receive()
        async with connected(scope, receive, send) as wire:
            await played(self.timeline, wire, RealClock())

    def __enter__(self) -> "Playing":
        self._server.start()
        host, port = self._server.url.removeprefix("http://").split(":")
        self._address = host, int(port)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def read(self, timeline: Timeline, length: int, *, stays: bool) -> tuple[bytes, str]:
        """What comes on a socket: to the end of the connection, or so many bytes where it stays open."""
        self.timeline = timeline
        data = b""
        with socket.create_connection(self._address, timeout=20) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            try:
                while not (stays and len(data) >= length):
                    if not (more := connection.recv(65536)):
                        return data, "FIN"
                    data += more
            except ConnectionResetError:
                return data, "RST"
        return data, "open"


@pytest.fixture(scope="module")
def server() -> Iterator[Playing]:
    with Playing() as playing:
        yield playing


@on_a_socket
@given(reply=REPLIES, operation=OPERATIONS, seed=SEEDS)
def test_the_same_bytes_go_out_on_a_wire_in_memory_and_on_a_socket(
    server: Playing, reply: sc.Reply, operation: str, seed: str
) -> None:
    timeline = compiled(reply, operation, seed)
    data, end = expected(timeline)
    held = isinstance(timeline.beats[-1].act, Hold)  # something may come again and again
    came, ended = server.read(timeline, len(data), stays=held or end == "open")
    assert came[: len(data)] == data
    if not held:
        assert (came, ended) == (data, end)
