"""What is right on HTTP/1.1 is right on HTTP/2: every scenario of the library says the same over both.

Status, headers (but for those that HTTP/2 has no room for) and body are compared, and how the answer ended.
Two emulators with the same seed are asked the same, so that ids and padding are the same, too.
"""

import json
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from converse_emulator import Emulator, Library
from converse_emulator.language.scenario import FOREVER, Gate, Wait
from h2.exceptions import InvalidBodyLengthError

from tests.h2_client import h2_client

LIBRARY = Library()
# What befalls a connection is another thing on each protocol: `tests/emulator/test_transport.py` has it.
NAMES = [name for name in LIBRARY.names() if not name.startswith("connection/")]
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
BODY = json.dumps({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}).encode()
NATIVE = json.dumps(
    {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 4096, **json.loads(BODY)}
).encode()
BODIES = {"converse-stream": BODY, "converse": BODY, "invoke-with-response-stream": NATIVE, "invoke": NATIVE}
SPEED = 1000.0  # the longest scenario lasts 17 minutes
SILENCE = 2.0  # seconds after which nothing more is awaited where a scenario says nothing for ever
PATIENCE = 60.0  # seconds, for the others: on a busy machine an answer may take a while

# Of one connection, which HTTP/2 shares between streams (RFC 9113, 8.2.2).
CONNECTION = {"connection", "transfer-encoding"}
# How an answer breaks off: one HTTP/2 stream ends where an HTTP/1.1 connection would.
ALIKE = {"END_STREAM": "whole", "CANCEL": "FIN", "INTERNAL_ERROR": "RST", "": "silence"}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int | None  # None: no head came
    headers: tuple[tuple[str, str], ...]
    body: bytes
    end: str  # whole, FIN, RST or silence


Patience = Callable[[], float]  # asked once the request has been sent: seconds to wait for what comes next
Over = Callable[[Emulator, str, bytes, Patience], Answer]


def over_http1(emulator: Emulator, path: str, body: bytes, patience: Patience) -> Answer:
    host, port = emulator.endpoint_url.removeprefix("http://").split(":")
    received, end = bytearray(), ""
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        connection.settimeout(patience())
        try:
            while not _is_whole(bytes(received)):
                if not (data := connection.recv(1 << 20)):
                    end = "FIN"
                    break
                received += data
        except TimeoutError:
            end = "silence"
        except ConnectionResetError:
            end = "RST"
    return _parsed(bytes(received), end or "whole")


def _is_whole(received: bytes) -> bool:
    head, blank, body = received.partition(b"\r\n\r\n")
    if length := re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE):
        return len(body) == int(length[1])
    return bool(blank) and body.endswith(b"0\r\n\r\n")


def _parsed(received: bytes, end: str) -> Answer:
    head, blank, body = received.partition(b"\r\n\r\n")
    if not blank:
        return Answer(None, (), b"", end)
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines]
    names = [name.lower() for name, _ in headers]
    data = _unchunked(body) if "transfer-encoding" in names else body
    kept = [(name.lower(), value) for name, value in headers if name.lower() not in CONNECTION]
    return Answer(int(status_line.split()[1]), _timeless(kept), data, end)


def _unchunked(body: bytes) -> bytes:
    """What came of the chunks, were they cut as they may."""
    data = b""
    while found := re.match(rb"([0-9a-fA-F]+)\r\n", body):
        size, start = int(found[1], 16), found.end()
        data += body[start : start + size]
        body = body[start + size + 2 :]
    return data


def over_http2(emulator: Emulator, path: str, body: bytes, patience: Patience) -> Answer:
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    with h2_client(emulator.endpoint_url, timeout=PATIENCE) as client:
        stream = client.request(path, body, **headers)
        client.wait_at_most(patience())
        try:
            client.until(lambda: stream.end)
        except TimeoutError:
            assert not stream.end
        except InvalidBodyLengthError:  # the end of a body that falls short of its Content-Length
            stream.end = "CANCEL"
    status = stream.status if stream.headers else None
    rest = [(name, value) for name, value in stream.headers if name != ":status"]
    return Answer(status, _timeless(rest), bytes(stream.body), ALIKE[stream.end])


def _timeless(headers: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, "" if name == "date" else value) for name, value in headers)


def asked(emulator: Emulator, over: Over, operation: str) -> dict[str, Answer]:
    """What every scenario answers to this operation."""

    def ask(name: str) -> Answer:
        session = emulator.session(f"{operation}-{name.replace('/', '-')}")
        steps = [step for reply in LIBRARY.get(name).replies for step in reply]
        for gate in {step.name for step in steps if isinstance(step, Gate)}:
            session.open_gate(gate)
        silent = any(isinstance(step, Wait) and step.duration is FOREVER for step in steps)
        path = f"/session/{session.name}/scenario/{name}/model/{MODEL}/{operation}"

        def patience() -> float:
            deadline = time.monotonic() + PATIENCE
            while silent and not len(session.journal) and time.monotonic() < deadline:
                time.sleep(0.02)  # once it is there, it is about to be answered
            return SILENCE if silent else PATIENCE

        return over(emulator, path, BODIES[operation], patience)

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(NAMES, pool.map(ask, NAMES), strict=True))


@pytest.fixture(scope="module", params=BODIES)
def answers(request: pytest.FixtureRequest) -> tuple[dict[str, Answer], dict[str, Answer]]:
    """What all scenarios answer over HTTP/1.1, and over HTTP/2."""
    by_protocol = []
    for over in (over_http1, over_http2):
        with Emulator(speed=SPEED) as emulator:
            by_protocol.append(asked(emulator, over, request.param))
    return by_protocol[0], by_protocol[1]


@pytest.mark.parametrize("name", NAMES)
def test_both_protocols_say_the_same(answers: tuple[dict[str, Answer], dict[str, Answer]], name: str) -> None:
    http1, http2 = answers
    assert http2[name] == http1[name]


def test_all_ways_to_end_are_among_them(answers: tuple[dict[str, Answer], dict[str, Answer]]) -> None:
    http1, _ = answers
    assert {answer.end for answer in http1.values()} >= {"whole", "FIN", "RST", "silence"}
    assert {answer.status for answer in http1.values()} >= {None, 200, 400, 403, 429, 500, 503}
