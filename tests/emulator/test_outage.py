"""Outages: for a while nobody gets through, and then everything is as before."""

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from converse_emulator import Emulator
from converse_emulator.outage import HOWS, BadOutage, How

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
LONG = 60.0  # seconds
REQUEST = b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


def what_happens(emulator: Emulator) -> str:
    """To a client that connects and asks."""
    address = urlsplit(emulator.endpoint_url)
    try:
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=0.5) as connection:
            connection.sendall(REQUEST)
            return "answered" if connection.recv(100) else "FIN"
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silence"
    except OSError:  # while it connects, or while it writes or reads
        return "RST"


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ("refuse", {"refused"}),
        ("silent", {"silence"}),
        ("window", {"silence"}),
        ("close", {"FIN", "RST"}),  # RST where the request is on its way already
        ("reset", {"RST"}),
        ("100-continue", {"answered"}),
    ],
)
def test_what_a_socket_sees(emulator: Emulator, how: How, seen: set[str]) -> None:
    emulator.outage(how, LONG)
    assert what_happens(emulator) in seen
    assert what_happens(emulator) in seen


@pytest.mark.parametrize("how", HOWS)
def test_it_ends_by_itself_and_another_one_takes_its_place(emulator: Emulator, how: How) -> None:
    emulator.outage("refuse", LONG)
    emulator.outage(how, 0.2)
    deadline = time.monotonic() + 20
    while what_happens(emulator) != "answered" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert what_happens(emulator) == "answered"


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("refuse", (EndpointConnectionError,)),
        ("silent", (ReadTimeoutError,)),
        ("window", (ReadTimeoutError,)),
        (
            "close",
            (ConnectionClosedError, EndpointConnectionError),
        ),  # that, where it is seen while connecting
        ("reset", (ConnectionClosedError, EndpointConnectionError)),
    ],
)
def test_what_boto3_raises_though_it_had_a_connection(
    emulator: Emulator, how: How, error: tuple[type[Exception], ...]
) -> None:
    config = Config(read_timeout=1, retries={"total_max_attempts": 1})
    client = emulator.session("outage").client(config=config)
    messages = [{"role": "user", "content": [{"text": "Hi"}]}]
    client.converse(modelId=MODEL, messages=messages)
    emulator.outage(how, LONG)
    with pytest.raises(error):
        client.converse(modelId=MODEL, messages=messages)


def test_a_control_route_begins_one_after_it_was_answered(emulator: Emulator) -> None:
    url = f"{emulator.endpoint_url}/_emulator/outage"
    asked = json.dumps({"how": "refuse", "seconds": LONG}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, asked)) as response:
        assert json.load(response) == {"how": "refuse", "seconds": LONG}
    deadline = time.monotonic() + 20
    while what_happens(emulator) != "refused" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert what_happens(emulator) == "refused"


@pytest.mark.parametrize(("how", "seconds"), [("sulk", 1), ("refuse", 0), ("refuse", 3601), ("refuse", "1s")])
def test_an_outage_that_cannot_be(emulator: Emulator, how: How, seconds: float) -> None:
    with pytest.raises(BadOutage, match="an outage"):
        emulator.outage(how, seconds)
