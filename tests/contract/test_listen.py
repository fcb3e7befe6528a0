"""Reading a response over a real socket: what arrived, when, and how it ended."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from converse_contract import Limits, ReferenceDialect, Target, listen
from converse_contract.listen import HandlerUnreachable, Listener
from converse_contract.transcript import Finished, Heartbeat, Sentinel, Started, Text, Transcript

Serve = Callable[[Any], AbstractAsyncContextManager[str]]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n"
TEXT = b'id: 2\ndata: {"type":"content_block_delta","index":0,"delta":{"text":"Hi"}}\n\n'
WHOLE = (
    b'id: 1\ndata: {"type":"message_start","id":"m"}\n\n',
    TEXT,
    b'id: 3\ndata: {"type":"message_stop","stop_reason":"end_turn","truncated":false,"usage":null}\n\n',
    b"data: [DONE]\n\n",
)
LIMITS = Limits(first_byte=0.0, between_bytes=0.3, total=60.0, tool=0.0, attempts=0)


@pytest.fixture(autouse=True)
def little_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen, "SLACK", 0.2)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def asked(url: str, limits: Limits = LIMITS) -> Transcript:
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
        return await Listener(Target(url, ReferenceDialect(), limits), client).listen("one", None)


def heard(raw_server: Serve, answer: Any, limits: Limits = LIMITS) -> Transcript:
    """The transcript of a response that `answer` writes."""

    async def main() -> Transcript:
        async with raw_server(answer) as url:
            return await asked(url, limits)

    return asyncio.run(main())


def test_a_whole_answer_is_written_down_with_its_times(raw_server: Serve) -> None:
    async def answer(_: Any, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for piece in WHOLE:
            await asyncio.sleep(0.05)
            writer.write(chunk(piece))
        writer.write(chunk(b""))

    before = time.time()
    transcript = heard(raw_server, answer)
    assert [arrival.event for arrival in transcript.arrivals] == [
        Started(),
        Text("Hi", 0),
        Finished("end_turn", False),
        Sentinel(),
    ]
    times = [arrival.at for arrival in transcript.arrivals]
    assert times == sorted(times)
    assert times[0] >= 0.05
    assert times[3] >= 0.2
    assert [arrival.id for arrival in transcript.arrivals] == ["1", "2", "3", None]
    assert before <= transcript.sent_at <= time.time()
    assert (transcript.status, transcript.ending, transcript.session) == (200, "complete", "one")
    assert transcript.header("x-a") == "1"
    assert transcript.raw == b"".join(WHOLE)


def test_a_response_without_its_last_chunk_was_cut(raw_server: Serve) -> None:
    async def answer(_: Any, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(TEXT) + b"ff\r\ndata: half")

    transcript = heard(raw_server, answer)
    assert (transcript.ending, transcript.text) == ("cut", "Hi")


def test_a_reset_connection_was_cut(raw_server: Serve) -> None:
    async def answer(_: Any, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunk(TEXT))
        await asyncio.sleep(0.2)
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    transcript = heard(raw_server, answer)
    assert (transcript.ending, transcript.text) == ("cut", "Hi")


def test_a_closed_connection_without_headers_is_no_response(raw_server: Serve) -> None:
    async def answer(*_: Any) -> None:
        pass

    transcript = heard(raw_server, answer)
    assert (transcript.ending, transcript.status, transcript.headers) == ("no response", None, ())


def test_an_error_page_is_a_response_too(raw_server: Serve) -> None:
    async def answer(_: Any, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops")

    transcript = heard(raw_server, answer)
    assert (transcript.ending, transcript.status, transcript.raw) == ("complete", 502, b"oops")


def test_a_body_that_lies_about_its_compression_is_no_crash(raw_server: Serve) -> None:
    async def answer(_: Any, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\noops")

    assert heard(raw_server, answer).ending == "cut"


async def silent(_: Any, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await reader.read()


async def beating(_: Any, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while not writer.is_closing():
        writer.write(chunk(b": ping\n\n"))
        await writer.drain()
        await asyncio.sleep(0.02)


async def dripping(_: Any, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while not writer.is_closing():
        writer.write(chunk(TEXT))
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("answer", [silent, beating])
def test_a_quiet_response_is_given_up_and_heartbeats_do_not_count(raw_server: Serve, answer: Any) -> None:
    transcript = heard(raw_server, answer)
    assert transcript.ending == "timed out"
    assert 0.5 <= transcript.ended_at < LIMITS.total
    assert {arrival.event for arrival in transcript.arrivals} <= {Heartbeat()}


def test_a_response_without_end_is_given_up_after_the_total(raw_server: Serve) -> None:
    transcript = heard(raw_server, dripping, Limits(between_bytes=30.0, total=0.8))
    assert transcript.ending == "timed out"
    assert 1.0 <= transcript.ended_at < 30.0
    assert len(transcript.text) > len("Hi" * 5)


def test_leaving_closes_the_connection(raw_server: Serve) -> None:
    async def main() -> tuple[Transcript, bool]:
        gone = asyncio.Event()

        async def answer(_: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(HEAD + chunk(TEXT))
            await reader.read()
            gone.set()

        async with (
            raw_server(answer) as url,
            httpx.AsyncClient(timeout=None, trust_env=False) as client,
        ):
            listener = Listener(Target(url, ReferenceDialect(), LIMITS), client)
            listening = asyncio.create_task(listener.listen("one", None))
            await listener.until(lambda: listener.saw(Text))
            listener.leave()
            transcript = await listening
            await asyncio.wait_for(gone.wait(), 10.0)
            return transcript, gone.is_set()

    transcript, gone = asyncio.run(main())
    assert (transcript.ending, transcript.text, gone) == ("we left", "Hi", True)


def test_nobody_there_says_where() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(HandlerUnreachable, match=f"no handler at http://127.0.0.1:{port}"):
        asyncio.run(asked(f"http://127.0.0.1:{port}"))
