"""Without zttp the emulator serves HTTP/1.1, acts included, and tells who comes with HTTP/2 what to do."""

import logging
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from converse_emulator import transport
from converse_emulator.http.asgi import Receive, Scope, Send
from converse_emulator.installed import ZTTP
from converse_emulator.playing import acts
from converse_emulator.server import Server
from converse_emulator.transport import alpn, connected
from converse_emulator.wires.uvicorn_wire import UvicornWire

HEADERS = (("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked"))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True)
def _lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "lacks_http2", lambda: "zttp is not installed")


async def perform(wire: UvicornWire, act: str) -> None:
    if act == "tear":
        head = acts.Head(200, HEADERS)
        await wire.tear(head, 9)
        await wire.finish()
        return
    await wire.head(200, HEADERS)
    await wire.send(b"abc")
    await (wire.reset() if act == "reset" else wire.hangup() if act == "hangup" else wire.finish())


@contextmanager
def connection_to(act: str = "finish") -> Iterator[socket.socket]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        async with connected(scope, receive, send) as wire:
            await perform(wire, act)

    server = Server(app, "127.0.0.1", 0)
    server.start()
    try:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=10) as connection:
            yield connection
    finally:
        server.stop()


def all_of(connection: socket.socket) -> tuple[bytes, str]:
    received = b""
    try:
        while more := connection.recv(65536):
            received += more
            if received.endswith(b"0\r\n\r\n"):
                return received, "open"
    except ConnectionResetError:
        return received, "RST"
    return received, "FIN"


@pytest.mark.parametrize(
    ("act", "body", "end"),
    [
        ("finish", b"3\r\nabc\r\n0\r\n\r\n", "open"),
        ("hangup", b"3\r\nabc\r\n", "FIN"),
        ("reset", b"3\r\nabc\r\n", "RST"),
    ],
)
def test_acts(act: str, body: bytes, end: str) -> None:
    with connection_to(act) as connection:
        connection.sendall(REQUEST)
        received, ended = all_of(connection)
    assert (received.partition(b"\r\n\r\n")[2], ended) == (body, end)


def test_a_torn_head() -> None:
    with connection_to("tear") as connection:
        connection.sendall(REQUEST)
        assert all_of(connection) == (b"HTTP/1.1 ", "FIN")


@pytest.mark.parametrize("cut", [0, 1, 20])
def test_who_comes_with_http2_is_told_what_to_do(cut: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), connection_to() as connection:
        connection.sendall(PREFACE[:cut])
        connection.sendall(PREFACE[cut:])
        received, _ = all_of(connection)
    assert received[:9] == struct.pack(">I", 0)[1:] + b"\x04\x00" + bytes(4)  # SETTINGS
    assert received[12:13] == b"\x07"  # GOAWAY
    assert received[18:26] == struct.pack(">II", 0, 13)  # HTTP_1_1_REQUIRED
    (told,) = (record.getMessage() for record in caplog.records)
    assert f"pip install '{ZTTP}'" in told
    assert "NodeHttpHandler" in told


def test_over_tls_it_is_not_offered() -> None:
    assert alpn() == ["http/1.1"]


def test_without_the_package_it_starts_and_says_so() -> None:
    code = """if True:
        import sys
        sys.modules["zttp"] = None
        from converse_emulator import Emulator
        with Emulator() as emulator:
            emulator.play("Hello")
            answer = emulator.client().converse(
                modelId="amazon.nova-lite-v1:0", messages=[{"role": "user", "content": [{"text": "Hi"}]}]
            )
            print(answer["output"]["message"]["content"][0]["text"])
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "Hello\n"
    assert f"HTTP/2 is not offered: zttp is not installed. pip install '{ZTTP}' repairs it" in done.stderr


def test_what_is_to_be_installed_is_what_the_project_asks_for() -> None:
    from importlib.metadata import requires

    needed = next(each for each in requires("converse-emulator") or [] if each.startswith("zttp"))
    assert set(needed.removeprefix("zttp").split(",")) == set(ZTTP.removeprefix("zttp").split(","))
