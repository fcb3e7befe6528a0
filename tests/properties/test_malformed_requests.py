"""Ten thousand malformed requests, over HTTP/1.1 and HTTP/2: none gets a 500, none leaves a traceback.

All chance comes from one seed, so what fails can be repeated.
"""

import json
import logging
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import urlopen

import pytest
import zttp
from converse_emulator import Emulator

SEED = 20261123
MODEL = "anthropic.claude-3-haiku-20240307-v1%3A0"
CONVERSE: dict[str, Any] = {
    "messages": [
        {"role": "user", "content": [{"text": "Hi"}]},
        {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": "t1", "name": "look", "input": {"a": [1, None]}}}],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "t1", "content": [{"json": {"b": 1.5}}], "status": "success"}}
            ],
        },
    ],
    "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
    "inferenceConfig": {"maxTokens": 5, "temperature": 0.5, "stopSequences": ["x"]},
    "toolConfig": {"tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}]},
    "additionalModelResponseFieldPaths": ["/a"],
    "requestMetadata": {"a": "b"},
}
CLAUDE: dict[str, Any] = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 5,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {"a": [1]}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text"}]}],
        },
    ],
    "tools": [{"name": "look", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto"},
    "stop_sequences": ["x"],
}
CHAT: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [{"function": {}}]}],
    "max_tokens": 5,
}
BODY_OF: dict[str, tuple[dict[str, Any], list[str]]] = {
    # a valid body, and the paths that take it
    "converse": (CONVERSE, [f"/model/{MODEL}/converse", "/model/amazon.nova-lite-v1:0/converse-stream"]),
    "claude": (CLAUDE, [f"/model/{MODEL}/invoke", f"/model/us.{MODEL}/invoke-with-response-stream"]),
    "nova": (CONVERSE, ["/model/amazon.nova-pro-v1:0/invoke"]),
    "titan": (
        {"inputText": "Hi", "textGenerationConfig": {"maxTokenCount": 5, "stopSequences": ["x"]}},
        ["/model/amazon.titan-text-express-v1/invoke", "/model/amazon.titan-embed-text-v2:0/invoke"],
    ),
    "llama": ({"prompt": "Hi", "max_gen_len": 5}, ["/model/meta.llama3-8b-instruct-v1:0/invoke"]),
    "mistral": ({"prompt": "Hi", "max_tokens": 5}, ["/model/mistral.mistral-7b-instruct-v0:2/invoke"]),
    "chat": (CHAT, ["/model/openai.gpt-oss-120b-1:0/invoke", "/model/ai21.jamba-1-5-mini-v1:0/invoke"]),
    "cohere": (
        {"message": "Hi", "chat_history": [{"role": "USER", "message": "Hi"}], "tools": [{"name": "x"}]},
        ["/model/cohere.command-r-v1:0/invoke-with-response-stream", "/model/cohere.embed-english-v3/invoke"],
    ),
    "image": (
        {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "x"}, "imageGenerationConfig": {"seed": 1}},
        ["/model/amazon.nova-canvas-v1:0/invoke"],
    ),
    "count": (
        {"input": {"converse": CONVERSE, "invokeModel": {"body": "e30="}}},
        [f"/model/{MODEL}/count-tokens"],
    ),
    "guardrail": (
        {"source": "INPUT", "content": [{"text": {"text": "Hi", "qualifiers": ["query"]}}]},
        ["/guardrail/abc/version/1/apply"],
    ),
    "async": (
        {
            "modelId": "amazon.nova-reel-v1:0",
            "modelInput": {"a": 1},
            "outputDataConfig": {"s3OutputDataConfig": {}},
        },
        ["/async-invoke"],
    ),
    "arm": (
        {"session": "a", "reply": [{"text": "Hi"}, {"wait": 1}], "match": {"call": 1}},
        ["/_emulator/arm"],
    ),
    "gate": ({"session": "a", "name": "go"}, ["/_emulator/gates/open", "/_emulator/reset"]),
}
JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    2**70,
    "",
    " ",
    "\0",
    "é😀\ud800",
    "x" * 300,
    [],
    {},
    [[]],
    {"": None},
]
OPERATIONS = [
    "converse",
    "converse-stream",
    "invoke",
    "invoke-with-response-stream",
    "count-tokens",
    "invoke-with-bidirectional-stream",
]
PATHS = [
    "/async-invoke/x",
    "/async-invoke?maxResults=x&sortBy=&nextToken=%00",
    "/foundation-models",
    "/foundation-models?byProvider=%zz",
    "/foundation-models/x",
    "/inference-profiles?maxResults=-1&nextToken=x",
    "/inference-profiles/%2F",
    "/_emulator/journal?after=x&wait=-1",
    "/_emulator/scenarios/../x",
    "/_emulator/",
    "/_emulator",
]
HEADERS = [
    "Authorization",
    "Content-Type",
    "X-Amz-Date",
    "x-converse-scenario",
    "amz-sdk-request",
    "X-Amzn-Bedrock-Accept",
    "Accept",
    "Origin",
    "Cookie",
]
METHODS = ["POST"] * 30 + ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"]

Fields = list[tuple[str, str]]
Malformed = tuple[str, str, Fields, bytes]  # method, target, headers, body


# ------------------------------------------------------------------------------------ making a mess


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container in a JSON value, with each of its keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from places(inner)


def mutated(rng: Random, valid: Any = CONVERSE) -> bytes:
    """A valid body with something wrong in it, if only by chance not."""
    body = deepcopy(valid)
    for _ in range(rng.randint(1, 3)):
        container, key = rng.choice(list(places(body)) or [(body, "x")])
        match rng.randrange(4):
            case 0:
                container.pop(key, None) if isinstance(container, dict) else container.pop(key)
            case 1 if isinstance(container, dict):
                container[rng.choice(["x", "text", "bytes", "type", ""])] = deepcopy(rng.choice(JUNK))
            case 2 if isinstance(container, list):
                container.extend(container * rng.randint(1, 3))
            case _:
                container[key] = deepcopy(rng.choice(JUNK))
    return json.dumps(body).encode()


def deep(rng: Random, valid: dict[str, Any]) -> bytes:
    """A body with something deep in it, where anything is allowed and where not."""
    depth = rng.choice([20, 199, 250, 400, 700, 950])
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
    body = deepcopy(valid)
    container, key = rng.choice([*places(body)])
    container[key] = "DEEP"
    return json.dumps(body).encode().replace(b'"DEEP"', opening * depth + b"1" + closing * depth)


BODIES: list[Callable[[Random], bytes]] = [
    mutated,
    lambda rng: json.dumps(rng.choice(JUNK)).encode(),
    lambda rng: rng.randbytes(rng.randint(0, 80)),
    lambda rng: mutated(rng)[: rng.randint(0, 200)],
    lambda rng: b"[" * rng.randint(1, 5000),
    lambda rng: b'{"messages":' + b'[{"content":' * rng.randint(1, 400),
    lambda rng: deep(rng, CONVERSE),
    lambda rng: deep(rng, CLAUDE),
    lambda rng: rng.choice([b"NaN", b"{}}", b'{"a":1e999}', b"\xef\xbb\xbf{}", b'{"a":"\x01"}', b"'"]),
]


def target(rng: Random) -> str:
    rest = "".join(rng.choices("ab/.:%~+&=", k=rng.randint(0, 12)))
    model = rng.choice([MODEL, "a", "..", "%2F%00", "%zz", "%", rest, "x" * 3000, "[[session:%20a]]"])
    base = rng.choice(["", "/session/a%2Fb", "/session//", "/scenario/../../etc/passwd", "/scenario/x"])
    path = rng.choice([f"{base}/model/{model}/{rng.choice(OPERATIONS)}"] * 30 + PATHS + [f"/{rest}"])
    query = rng.choice(["", "", "?", "?a=%zz&=&b", "?X-Amz-Signature=1&X-Amz-Credential=%F0"])
    return path if "?" in path else path + query


def fields(rng: Random) -> Fields:
    values = [
        "Bearer",
        "Bearer bedrock-api-key-=",
        "AWS4-HMAC-SHA256 Credential=//////, SignedHeaders=;;, Signature=é",
        "AWS4-HMAC-SHA256 ,,,=",
        "attempt=99999999999999; max=x",
        "../../x",
        "application/x-www-form-urlencoded; charset=\xff",
        "",
        "x" * 4000,
    ]
    return [(rng.choice(HEADERS), rng.choice(values)) for _ in range(rng.randint(0, 3))]


def malformed(rng: Random) -> Malformed:
    """Half of them are nearly right: only their body is not."""
    if rng.random() < 0.5:
        valid, paths = rng.choice(list(BODY_OF.values()))
        return "POST", rng.choice(paths), fields(rng), mutated(rng, valid)
    return rng.choice(METHODS), target(rng), fields(rng), rng.choice(BODIES)(rng)


# ---------------------------------------------------------------------------------------- the clients


def connected(emulator: Emulator) -> socket.socket:
    host, port = emulator.endpoint_url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def all_of(connection: socket.socket) -> bytes:
    """What comes until the end. Waiting for all of it at once lets the server's thread work in peace."""
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 30, 0))
    received = b""
    with suppress(ConnectionError):
        while more := connection.recv(1_000_000, socket.MSG_WAITALL):
            received += more
    return received


def http1(request: Malformed, *, last: bool) -> bytes:
    method, path, headers, body = request
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}", *(["Connection: close"] if last else []), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def http1_statuses(connection: socket.socket, requests: list[Malformed]) -> Iterator[int]:
    """The statuses of requests that are sent all at once."""
    connection.sendall(b"".join(http1(request, last=request is requests[-1]) for request in requests))
    stream = BytesIO(all_of(connection))
    while line := stream.readline():
        headers = {}
        while field := stream.readline().strip():
            name, _, value = field.partition(b":")
            headers[name.lower()] = value.strip()
        if headers.get(b"transfer-encoding") == b"chunked":
            while size := int(stream.readline(), 16):
                stream.read(size + 2)
            stream.readline()
        else:
            stream.read(int(headers[b"content-length"]))
        yield int(line.split()[1])


def http2_statuses(connection: socket.socket, requests: list[Malformed]) -> Iterator[int]:
    """The statuses of requests that are made side by side."""
    h2 = zttp.Connection(zttp.CLIENT, protocol=zttp.HTTP2)
    h2.initiate_connection()
    for method, path, headers, body in requests:
        own = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        stream = h2.send_request(method.encode(), path.encode(), b"2", [(b"host", b"localhost"), *own])
        stream.send_data(body)
        stream.end_message()
    ended: set[int] = set()
    while len(ended) < len(requests):
        connection.sendall(h2.data_to_send())
        received = connection.recv(65536)
        assert received, f"the connection was closed when {len(ended)} of {len(requests)} streams had ended"
        h2.receive_data(received)
        while (event := h2.next_event()) is not zttp.NEED_DATA:
            if isinstance(event, zttp.Response):
                yield event.status_code
            if isinstance(event, zttp.RstStream | zttp.EndOfMessage):
                ended.add(event.stream_id)


# --------------------------------------------------------------------------------- what is not even HTTP


def not_http1(rng: Random) -> bytes:
    """Bytes that are no request, or not the one that they say they are."""
    line = f"POST /model/{MODEL}/converse HTTP/1.1\r\n".encode()
    head = line + b"Host: x\r\n"
    methods, versions = [b"POST", b"P OST", b"", b"PO\0ST"], [b"1.1", b"9.9", b"", b"1"]
    targets = ["/é".encode(), b"/\x01", b"/ /", b"*", b"x", b"http://[/", b"//"]
    lengths = [b"x", b"-1", b"1, 2", b"9" * 40, b"+1", b"", b"500", b"2\r\nContent-Length: 3"]
    codings = [b"chunked", b"gzip", b"chunked, chunked"]
    chunks = [b"x\r\n", b"5\r\nab", b"-1\r\n\r\n", b"f" * 18 + b"\r\n", b"0\r\n", b"2\r\n{}0\r\n\r\n"]
    headers = [b"a b: c", b": c", b"a\0: c", b"nocolon", b" folded: x", b"X: " + b"y" * 200_000]
    return rng.choice(
        [
            rng.randbytes(rng.randint(1, 300)),
            rng.choice(methods) + b" / HTTP/" + rng.choice(versions) + b"\r\n\r\n",
            b"POST " + rng.choice(targets) + b" HTTP/1.1\r\n\r\n",
            head + b"Content-Length: " + rng.choice(lengths) + b"\r\n\r\n{}",
            head + b"Transfer-Encoding: " + rng.choice(codings) + b"\r\n\r\n" + rng.choice(chunks),
            head + rng.choice(headers) + b"\r\n\r\n",
            line + b"".join(b"X%d: y\r\n" % number for number in range(2000)) + b"\r\n",
            line.replace(b"\r", b"") + b"\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(100),  # a TLS client's hello
            b"PRI * HTTP/2.0\r\n\r\n" + rng.randbytes(20),
        ]
    )


def not_http2(rng: Random) -> bytes:
    """A preface and frames of which something is wrong."""
    frames = [_frame(4, 0, 0, b"")]
    for _ in range(rng.randint(1, 6)):
        kind, stream = rng.choice([*range(11), 255]), rng.choice([0, 1, 1, 2, 3, 2**31 - 1])
        frames.append(
            _frame(kind, rng.choice([0, 1, 4, 5, 37, 255]), stream, rng.randbytes(rng.randint(0, 60)))
        )
    cut = rng.choice([None, None, -1, -5])
    return (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"".join(frames))[:cut]


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def answer(emulator: Emulator, raw: bytes) -> bytes:
    """All that comes back when nothing more is sent; it may come, and the end, before all is told."""
    with closing(connected(emulator)) as connection:
        with suppress(OSError):
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
        return all_of(connection)


# -------------------------------------------------------------------------------------------- the tests


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture(autouse=True)
def _sound(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Afterwards nothing bad was logged, the journal can be read, and the emulator still answers."""
    with caplog.at_level(logging.WARNING):
        yield
        with urlopen(f"{emulator.endpoint_url}/_emulator/journal", timeout=30) as journal:
            assert json.load(journal)["exchanges"] is not None
        emulator.reset()
        emulator.play("Sound")
        answer = emulator.client().converse(
            modelId="anthropic.claude-3-haiku-20240307-v1:0",
            messages=[{"role": "user", "content": [{"text": "Hi"}]}],
        )
    assert answer["output"]["message"]["content"] == [{"text": "Sound"}]
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def fine(counted: Counter[int]) -> bool:
    """Only successes, by chance, and errors that are the client's."""
    return all(200 <= status < 300 or 400 <= status < 500 for status in counted)


def test_malformed_requests_over_http1(emulator: Emulator) -> None:
    rng, counted = random.Random(SEED), Counter[int]()
    for _ in range(100):
        requests = [malformed(rng) for _ in range(50)]
        with closing(connected(emulator)) as connection:
            counted.update(http1_statuses(connection, requests))
    assert counted.total() == 5000
    assert fine(counted), counted
    assert counted[400] > 1000


def test_malformed_requests_over_http2(emulator: Emulator) -> None:
    rng, counted = random.Random(SEED + 1), Counter[int]()
    for _ in range(80):
        requests = [malformed(rng) for _ in range(50)]
        with closing(connected(emulator)) as connection:
            counted.update(http2_statuses(connection, requests))
    assert counted.total() == 4000
    assert fine(counted), counted
    assert counted[400] > 800


def test_under_strict_authentication_nothing_malformed_is_let_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "credentials.yaml").write_text("access_keys: {AKID: {secret: s}}\napi_keys: {ABSKx: {}}")
    rng, counted = random.Random(SEED + 4), Counter[int]()
    with Emulator(credentials=tmp_path / "credentials.yaml", quotas="*:rpm=9") as strict:
        for _ in range(20):
            requests = [malformed(rng) for _ in range(50)]
            with closing(connected(strict)) as connection:
                counted.update(
                    http1_statuses(connection, [each for each in requests if "/_emu" not in each[1]])
                )
    assert counted[403] > 500
    assert all(400 <= status < 500 for status in counted), counted
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def test_what_is_not_http1(emulator: Emulator) -> None:
    rng = random.Random(SEED + 2)
    for _ in range(600):
        raw = not_http1(rng)
        assert b"HTTP/1.1 5" not in answer(emulator, raw), raw


def test_what_is_not_http2(emulator: Emulator) -> None:
    rng = random.Random(SEED + 3)
    for _ in range(500):
        answer(emulator, not_http2(rng))
