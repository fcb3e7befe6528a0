"""The server: up and gone in milliseconds, nothing left behind."""

import asyncio
import gc
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from converse_emulator.http.asgi import Receive, Scope, Send
from converse_emulator.server import Server
from converse_emulator.transport import connected


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["more_body"]:
        pass
    async with connected(scope, receive, send) as wire:
        await wire.head(200, (("Content-Length", "2"),))
        await wire.send(b"hi")
        await wire.finish()


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    async with connected(scope, receive, send) as wire:
        await wire.head(200, ())
        await wire.left


@contextmanager
def running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def connect(server: Server) -> socket.socket:
    host, port = server.url.removeprefix("http://").rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), timeout=10)


def ask(connection: socket.socket, until: bytes = b"hi") -> bytes:
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while not answer.endswith(until):
        answer += connection.recv(1000)
    return answer


def test_it_answers_as_soon_as_it_is_started() -> None:
    with running(Server(hello, "127.0.0.1", 0)) as server, closing(connect(server)) as connection:
        assert ask(connection).endswith(b"hi")


def test_it_serves_ipv6() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with running(Server(hello, "::1", 0)) as server, closing(connect(server)) as connection:
        assert server.url.startswith("http://[::1]:")
        assert ask(connection).endswith(b"hi")


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing() -> None:
    with running(Server(hello, "127.0.0.1", 0)) as server:
        second = Server(hello, "127.0.0.1", int(server.url.rsplit(":", 1)[1]))
        with pytest.raises(OSError, match="in use"):
            second.start()
        assert not second.running
        second.stop()


def test_stopping_cuts_what_runs_and_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """No thread, no socket (`filterwarnings = error` tells), no task (asyncio logs those)."""
    threads = threading.active_count()
    server = Server(endless, "127.0.0.1", 0)
    server.start()
    with closing(connect(server)) as busy, closing(connect(server)) as idle:
        assert ask(busy, until=b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK")
        server.stop()
        assert busy.recv(10) == b""
        assert idle.recv(10) == b""
    assert threading.active_count() == threads
    server.stop()  # harmless
    gc.collect()
    assert caplog.record_tuples == []


def test_the_port_is_free_afterwards() -> None:
    with running(Server(hello, "127.0.0.1", 0)) as server, closing(connect(server)) as connection:
        ask(connection)
        port = int(server.url.rsplit(":", 1)[1])
    with running(Server(hello, "127.0.0.1", port)) as server, closing(connect(server)) as connection:
        assert ask(connection).endswith(b"hi")


def test_starting_and_stopping_are_quick() -> None:
    """Measured 3 ms each; uvicorn's own way of stopping takes 200 ms."""

    def round_trip() -> float:
        server = Server(endless, "127.0.0.1", 0)
        began = time.perf_counter()
        server.start()
        with closing(connect(server)) as busy:
            ask(busy, until=b"\r\n\r\n")
            server.stop()
            return time.perf_counter() - began

    assert statistics.median(round_trip() for _ in range(7)) < 0.1


def test_what_the_application_keeps_is_touched_in_its_thread() -> None:
    server = Server(hello, "127.0.0.1", 0)
    assert server.call(threading.current_thread) is threading.current_thread()
    with running(server):
        assert server.call(threading.current_thread) is not threading.current_thread()
        with pytest.raises(ZeroDivisionError):
            server.call(lambda: 1 // 0)

        async def where() -> threading.Thread:
            await asyncio.sleep(0)
            return threading.current_thread()

        assert server.run(where()) is server.call(threading.current_thread)
