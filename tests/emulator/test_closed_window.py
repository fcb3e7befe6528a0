"""No window for a request's body: who asks may say so, and stalls while it sends."""

import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from converse_emulator import Emulator
from converse_emulator.http.http2 import PREFACE, Kind, connection_frame

from conformance import faults

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
LONG = 60.0  # seconds
HEADERS = [(":method", "POST"), (":path", "/"), (":scheme", "https"), (":authority", "x")]
NO_WINDOW = bytes.fromhex("000006 04 00 00000000 0004 00000000")  # SETTINGS, INITIAL_WINDOW_SIZE 0
MANY_MB = 20_000_000
MESSAGES = [{"role": "user", "content": [{"text": "Hi"}]}]


@pytest.fixture(params=["http", "https"])
def secured(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    """An emulator with and without TLS, in such an outage."""
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    with Emulator(tls=request.param == "https") as running:
        running.outage("window", LONG)
        yield running


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        running.outage("window", LONG)
        yield running


def connect(emulator: Emulator) -> socket.socket:
    url = urlsplit(emulator.endpoint_url)
    connection = socket.create_connection((url.hostname or "", url.port or 0), timeout=10)
    if url.scheme == "http":
        return connection
    context = ssl.create_default_context(cafile=emulator.ca_bundle)
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(connection, server_hostname=url.hostname)


def begun() -> h2.connection.H2Connection:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    connection.initiate_connection()
    return connection


def test_http2_asks_and_has_no_window_for_the_body(secured: Emulator) -> None:
    """And the connection is sound all the while: its settings and pings are acknowledged."""
    client = begun()
    seen: list[h2.events.Event] = []
    with connect(secured) as connection:

        def until(kind: type[h2.events.Event]) -> None:
            while not any(isinstance(event, kind) for event in seen):
                connection.sendall(client.data_to_send())
                received = connection.recv(65536)
                assert received
                seen.extend(client.receive_data(received))

        until(h2.events.SettingsAcknowledged)
        client.send_headers(1, HEADERS)
        assert client.local_flow_control_window(1) == 0
        client.ping(b"is alive")
        until(h2.events.PingAckReceived)
        assert client.local_flow_control_window(1) == 0
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(65536)
    kinds = {type(event).__name__ for event in seen}
    assert kinds == {"RemoteSettingsChanged", "SettingsAcknowledged", "PingAckReceived"}


def test_what_http2_sends_before_it_knows_gets_no_answer(emulator: Emulator) -> None:
    client = begun()
    client.send_headers(1, HEADERS)
    for _ in range(3):
        client.send_data(1, bytes(16_384))
    client.send_data(1, bytes(16_383), end_stream=True)
    client.ping(b"are read")
    with connect(emulator) as connection:
        begins = client.data_to_send()
        for piece in begins[:1], begins[1:40], begins[40:]:  # as they may come
            connection.sendall(piece)
            time.sleep(0.02)
        names: list[str] = []
        while "PingAckReceived" not in names:
            received = connection.recv(65536)
            assert received
            names += [type(event).__name__ for event in client.receive_data(received)]
            connection.sendall(client.data_to_send())
    assert client.remote_settings.initial_window_size == 0
    assert set(names) == {"RemoteSettingsChanged", "SettingsAcknowledged", "PingAckReceived"}


def test_over_tls_the_settings_come_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / name)
    with Emulator(tls=True) as emulator:
        emulator.outage("window", LONG)
        with connect(emulator) as connection:
            assert connection.recv(100) == NO_WINDOW


def test_a_frame_beyond_all_bounds_ends_the_connection(emulator: Emulator) -> None:
    with connect(emulator) as connection:
        connection.sendall(PREFACE + connection_frame(Kind.PING, bytes(16_385))[:9])
        data = b""
        while more := connection.recv(65536):
            data += more
    assert data == NO_WINDOW


def test_http1_can_send_no_more_than_the_sockets_hold(emulator: Emulator) -> None:
    sent = 0
    with connect(emulator) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        connection.settimeout(0.5)
        with suppress(TimeoutError):
            while sent < 1_000_000_000:
                sent += connection.send(bytes(65536))
    assert 0 < sent < 1_000_000_000


def test_boto3_stalls_while_it_sends(emulator: Emulator) -> None:
    config = Config(connect_timeout=1, read_timeout=60, retries={"total_max_attempts": 1})
    messages = [{"role": "user", "content": [{"text": "x" * MANY_MB}]}]
    with pytest.raises(ConnectionClosedError):
        emulator.client(config=config).converse(modelId=MODEL, messages=messages)


@pytest.mark.parametrize("client", ["js-http1", "js-http2"])
def test_the_javascript_sdk_waits_as_long_as_it_is_told_to(emulator: Emulator, client: str) -> None:
    command = faults.command(client)
    if command is None:
        assert not os.environ.get("CI"), ".ci/run makes the environment"
        pytest.skip("no environment; `python -m conformance.runner --build aws-sdk-js` makes it")
    arguments = [emulator.endpoint_url, "1", client.removeprefix("js-"), "plain/default"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120)
    came = json.loads(done.stdout)
    assert (came["events"], came["error"]["class"]) == ([], "TimeoutError"), came


def test_all_is_as_before_once_it_is_over(secured: Emulator) -> None:
    secured.outage("window", 0.2)
    secured.play("Hello again")
    answer = secured.client().converse(modelId=MODEL, messages=MESSAGES)  # it asks again, once it was cut
    assert answer["output"]["message"]["content"] == [{"text": "Hello again"}]
