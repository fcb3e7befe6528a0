"""The bridge to botocore over real sockets: what comes through, and that closing leaves nothing behind."""

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, ConnectionClosedError, EventStreamError
from converse_emulator import Session
from converse_handler.bridge import QUEUE, Bedrock, Call, connect
from converse_handler.settings import Settings
from urllib3.exceptions import ProtocolError

REQUEST = {
    "modelId": "anthropic.claude-3-5-haiku-20241022-v1:0",
    "messages": [{"role": "user", "content": [{"text": "hi"}]}],
}


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "bedrock"]


def until(condition: Any, timeout: float = 10.0) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    until(lambda: not threads())


@pytest.fixture
def client(bedrock: Session) -> Iterator[Any]:  # noqa: ARG001 (it puts its address into the environment)
    """The handler's own client."""
    client = connect(Settings())
    yield client
    client.close()


async def texts(call: Call) -> str:
    """Read to the end; the text."""
    text = ""
    while (event := await call.next()) is not None:
        text += event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
    return text


def ask(client: Any) -> str:
    async def main() -> str:
        with contextlib.closing(Bedrock(client).start(REQUEST)) as call:
            return await texts(call)

    return asyncio.run(main())


async def stalled(client: Any, bedrock: Session, events: int) -> Call:
    """A call that has had so many events and now waits for more."""
    call = Bedrock(client).start(REQUEST)
    for _ in range(events):
        assert await call.next() is not None
    await asyncio.to_thread(until, lambda: len(bedrock.journal) == 1)
    await asyncio.sleep(0.05)  # the thread goes on into recv
    return call


def test_the_events_come_as_botocore_gives_them(client: Any, bedrock: Session) -> None:
    bedrock.play("Hi there")

    async def main() -> list[Any]:
        call = Bedrock(client).start(REQUEST)
        events = []
        while (event := await call.next()) is not None:
            events.append(event)
        call.close()
        return events

    assert [next(iter(event)) for event in asyncio.run(main())] == [
        "messageStart",
        "contentBlockDelta",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert bedrock.journal.wait(1)[0].ended == "finished"


def test_an_event_is_passed_on_before_the_next_one_is_sent(client: Any, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "two"}, {"text": "two"}])

    async def main() -> str:
        with contextlib.closing(Bedrock(client).start(REQUEST)) as call:
            await call.next()
            first = await call.next()
            bedrock.open_gate("two")
            assert first is not None
            return str(first["contentBlockDelta"]["delta"]["text"]) + await texts(call)

    assert asyncio.run(main()) == "one two"


@pytest.mark.parametrize(
    ("reply", "events"),
    [
        ([{"wait": "forever"}], 0),
        ([{"event": {"messageStart": {"role": "assistant"}}}, {"wait": "forever"}], 1),
        ([{"text": "Hi", "split": "whole"}, {"wait": "forever"}], 2),
    ],
    ids=["before the headers", "after the headers", "in the text"],
)
def test_closing_frees_a_thread_that_waits(
    client: Any, bedrock: Session, reply: list[Any], events: int
) -> None:
    bedrock.play(reply)

    async def main() -> float:
        call = await stalled(client, bedrock, events)
        assert threads()
        closed_at = time.time()
        call.close()
        call.close()
        await asyncio.to_thread(until, lambda: not threads())
        return closed_at

    closed_at = asyncio.run(main())
    (exchange,) = bedrock.journal.wait(1)
    assert exchange.ended == "client left"
    assert exchange.ended_at is not None
    assert exchange.started_at + exchange.ended_at - closed_at < 1.0


def test_a_client_that_was_used_before_can_be_interrupted_too(bedrock: Session) -> None:
    client = bedrock.client(retries={"total_max_attempts": 1})
    bedrock.play("Hi")
    client.converse(**REQUEST)
    bedrock.play([{"wait": "forever"}])

    async def main() -> None:
        call = Bedrock(client).start(REQUEST)
        await asyncio.to_thread(until, lambda: len(bedrock.journal) == 2)
        await asyncio.sleep(0.05)
        call.close()
        await asyncio.to_thread(until, lambda: not threads())

    asyncio.run(main())
    assert bedrock.journal.wait(2)[1].ended == "client left"
    client.close()


def test_closing_before_the_request_is_out_stops_it(client: Any, bedrock: Session) -> None:
    async def main() -> None:
        Bedrock(client).start(REQUEST).close()
        await asyncio.to_thread(until, lambda: not threads())

    bedrock.play([{"wait": "forever"}])
    asyncio.run(main())
    bedrock.journal.wait(0)  # whatever came in has ended
    bedrock.reset()


def test_a_browser_that_is_slow_slows_bedrock_down_and_closing_frees_the_thread(
    client: Any, bedrock: Session
) -> None:
    bedrock.play([{"text": "x" * 3 * QUEUE, "split": "characters"}])

    async def main() -> int:
        call = Bedrock(client).start(REQUEST)
        await asyncio.to_thread(until, lambda: call._arrived.qsize() == QUEUE)
        await asyncio.sleep(0.1)
        waiting = call._arrived.qsize()
        call.close()
        await asyncio.to_thread(until, lambda: not threads())
        return waiting

    assert asyncio.run(main()) == QUEUE


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ([{"refuse": "ThrottlingException"}], ClientError),
        ([{"text": "Hi"}, {"throw": "throttlingException"}], EventStreamError),
        ([{"text": "Hi"}, "hangup"], ProtocolError),
        ([{"text": "Hi"}, "reset"], ProtocolError),
        ([{"text": "Hi"}, {"corrupt": "message_crc"}, {"text": "x"}], ChecksumMismatch),
        (["reset"], ConnectionClosedError),
    ],
    ids=["refused", "thrown", "hung up", "reset", "corrupt", "reset before the headers"],
)
def test_what_botocore_raises_comes_through_once_and_is_not_retried(
    client: Any, bedrock: Session, reply: list[Any], error: type[Exception]
) -> None:
    bedrock.play(reply)
    with pytest.raises(error):
        ask(client)
    assert len(bedrock.journal.wait(1)) == 1


def test_a_clean_end_without_message_stop_is_silent(client: Any, bedrock: Session) -> None:
    bedrock.play([{"text": "Hi"}, "finish"])
    assert ask(client) == "Hi"


def pool_of(client: Any) -> Any:
    """urllib3's connection pool for the one host the client talks to."""
    pools = client._endpoint.http_session._manager.pools
    (key,) = pools.keys()
    return pools[key]


def test_broken_calls_leave_no_connection_behind(client: Any, bedrock: Session) -> None:
    for _ in range(5):
        bedrock.play([{"text": "Hi"}, {"throw": "modelStreamErrorException"}])
        with pytest.raises(EventStreamError):
            ask(client)
    bedrock.play("still here")
    assert ask(client) == "still here"
    kept = [connection for connection in pool_of(client).pool.queue if connection is not None]
    assert sum(connection.sock is not None for connection in kept) == 1


@pytest.mark.parametrize("reply", ["Hi", [{"refuse": "ThrottlingException"}]], ids=["answer", "refusal"])
def test_closing_a_call_that_is_over_does_not_touch_a_connection_that_may_serve_another(
    client: Any, bedrock: Session, reply: Any
) -> None:
    bedrock.play(reply)
    bedrock.play([{"text": "one "}, {"gate": "two"}, {"text": "two"}])
    handler = Bedrock(client)

    async def main() -> str:
        over = handler.start(REQUEST)
        with contextlib.suppress(ClientError):
            await texts(over)
        with contextlib.closing(handler.start(REQUEST)) as call:
            await call.next()
            over.close()
            bedrock.open_gate("two")
            return await texts(call)

    assert asyncio.run(main()) == "one two"
    assert pool_of(client).num_connections == 1


def test_a_loop_that_ends_without_closing_takes_no_thread_with_it(client: Any, bedrock: Session) -> None:
    bedrock.play([{"text": "one "}, {"gate": "two"}, {"text": "two"}])

    async def main() -> Call:
        return await stalled(client, bedrock, 2)

    call = asyncio.run(main())
    bedrock.open_gate("two")
    until(lambda: not threads())
    call.close()


def test_an_open_call_does_not_hold_up_the_loop(client: Any, bedrock: Session) -> None:
    bedrock.play([{"wait": "forever"}])

    async def main() -> float:
        call = await stalled(client, bedrock, 0)
        began = time.monotonic()
        for _ in range(100):
            await asyncio.sleep(0)
        took = time.monotonic() - began
        call.close()
        return took

    assert asyncio.run(main()) < 5


# ------------------------------------------------------------------------------------------------ TLS


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    made = tmp_path / "localhost.pem"
    names = "-subj /CN=localhost -addext subjectAltName=DNS:localhost"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 {names} -keyout key.pem -out {made}"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    made.write_text(made.read_text() + (tmp_path / "key.pem").read_text())
    return made


HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("head", [b"", HEAD], ids=["before the headers", "after the headers"])
def test_closing_works_through_tls_too(
    certificate: Path, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator speaks no TLS, real Bedrock nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    asked, left = threading.Event(), threading.Event()

    def serve(listener: socket.socket) -> None:
        plain, _ = listener.accept()
        with context.wrap_socket(plain, server_side=True) as connection:
            request = b""
            while not request.endswith(b"}"):
                request += connection.recv(65536)
            connection.sendall(head)
            asked.set()
            connection.settimeout(30)
            if connection.recv(1) == b"":
                left.set()

    with socket.create_server(("localhost", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        monkeypatch.setenv(
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"https://localhost:{listener.getsockname()[1]}"
        )
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.setenv(name, "us-east-1")
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        monkeypatch.setenv("NO_PROXY", "localhost")
        client = connect(Settings())

        async def main() -> None:
            call = Bedrock(client).start(REQUEST)
            assert await asyncio.to_thread(asked.wait, 30)
            await asyncio.sleep(0.1)
            call.close()
            await asyncio.to_thread(until, lambda: not threads())

        asyncio.run(main())
        server.join(30)
        assert left.is_set()
        client.close()
