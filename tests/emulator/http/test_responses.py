"""Responses byte by byte: order and case of headers, JSON, dates."""

import json
from pathlib import Path
from typing import Any

import pytest
from converse_emulator.framing.eventstream import Decoder
from converse_emulator.http.responses import (
    DOCUMENTS,
    canonical_json,
    compact_json,
    error_response,
    http_date,
    json_response,
    stream_headers,
)
from converse_emulator.shapes import service

RECORDINGS = Path(__file__).parents[3] / "../shared/recordings"
DATE = "Fri, 21 Mar 2025 02:04:20 GMT"
ID = "9f2f6b0e-7c56-4d0f-8c9a-1a2b3c4d5e6f"


def test_an_error_is_exactly_what_the_service_sends() -> None:
    response = error_response("ThrottlingException", request_id=ID, date=DATE)
    assert response.status == 429
    assert response.headers == (
        ("Date", DATE),
        ("Content-Type", "application/json"),
        ("Content-Length", "65"),
        ("Connection", "keep-alive"),
        ("x-amzn-RequestId", ID),
        ("x-amzn-ErrorType", "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"),
    )
    assert response.body == b'{"message":"Too many requests, please wait before trying again."}'


def test_a_denial_has_a_capital_m() -> None:
    response = error_response("InvalidApiKey", request_id=ID, date=DATE)
    assert response.body == b'{"Message":"Authentication failed: Please make sure your API Key is valid."}'


def test_a_scenario_may_replace_text_status_and_headers() -> None:
    response = error_response(
        "ThrottlingException",
        message="Später ✓",
        status=418,
        headers=[("Retry-After", "3"), ("X-AMZN-ERRORTYPE", "TeapotException")],
        request_id=ID,
        date=DATE,
    )
    assert response.status == 418
    assert response.headers[2:] == (
        ("Content-Length", str(len('{"message":"Später ✓"}'.encode()))),
        ("Connection", "keep-alive"),
        ("x-amzn-RequestId", ID),
        ("X-AMZN-ERRORTYPE", "TeapotException"),
        ("Retry-After", "3"),
    )
    assert response.body == '{"message":"Später ✓"}'.encode()
    assert error_response("ThrottlingException", message="", request_id=ID, date=DATE).body == (
        b'{"message":""}'
    )


def test_a_json_response_has_sorted_keys_and_no_error_type() -> None:
    response = json_response(
        {"stopReason": "end_turn", "metrics": {"latencyMs": 1}}, request_id=ID, date=DATE
    )
    assert response.status == 200
    assert response.body == b'{"metrics":{"latencyMs":1},"stopReason":"end_turn"}'
    assert [name for name, _ in response.headers] == [
        "Date",
        "Content-Type",
        "Content-Length",
        "Connection",
        "x-amzn-RequestId",
    ]


def test_a_stream_is_chunked() -> None:
    assert stream_headers(ID, DATE) == (
        ("Date", DATE),
        ("Content-Type", "application/vnd.amazon.eventstream"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "keep-alive"),
        ("x-amzn-RequestId", ID),
    )


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [
        (1742522660, DATE),
        (1742522660.999, DATE),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1709251199, "Thu, 29 Feb 2024 23:59:59 GMT"),
        (1767225599, "Wed, 31 Dec 2025 23:59:59 GMT"),
    ],
)
def test_dates_are_http_dates(epoch: float, expected: str) -> None:
    assert http_date(epoch) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": [1, 2.5, None, True], "a": {}}, '{"b":[1,2.5,null,true],"a":{}}'),
        ({"text": "ü 😀 \n \" \\ / <b> '"}, '{"text":"ü 😀 \\n \\" \\\\ / <b> \'"}'),
        ({"text": "\ud800!"}, '{"text":"?!"}'),
    ],
)
def test_compact_json_has_no_spaces_and_no_escapes(value: Any, expected: str) -> None:
    assert compact_json(value) == expected.encode()


def test_canonical_json_sorts_all_but_documents() -> None:
    disordered = {
        "start": {"toolUse": {"name": "x", "input": {"b": 1, "a": 2}}},
        "delta": {"toolResult": [{"json": {"b": 1, "a": [{"d": 1, "c": 2}]}}, {"z": 1, "text": "y"}]},
        "additionalModelResponseFields": {"b": {"d": 1, "c": 2}},
    }
    assert canonical_json(disordered) == (
        b'{"additionalModelResponseFields":{"b":{"d":1,"c":2}},'
        b'"delta":{"toolResult":[{"json":{"b":1,"a":[{"d":1,"c":2}]}},{"text":"y","z":1}]},'
        b'"start":{"toolUse":{"input":{"b":1,"a":2},"name":"x"}}}'
    )


def test_the_documents_are_those_of_the_service_model() -> None:
    shapes = service.model()["shapes"]
    kinds: dict[str, set[str]] = {}  # of each member of the outputs: what its shapes are

    def walk(name: str, seen: set[str]) -> None:
        if name in seen:
            return
        seen.add(name)
        shape = shapes[name]
        for member, described in shape.get("members", {}).items():
            target = shapes[described["shape"]]
            kinds.setdefault(member, set()).add("document" if target.get("document") else target["type"])
            walk(described["shape"], seen)
        for part in ("member", "key", "value"):
            if part in shape:
                walk(shape[part]["shape"], seen)

    walk("ConverseResponse", set())
    walk("ConverseStreamResponse", set())
    assert {member for member, kind in kinds.items() if "document" in kind} == DOCUMENTS
    # Where such a name is no document, it is a string, which has no order.
    assert set().union(*(kinds[member] for member in DOCUMENTS)) == {"document", "string"}


def test_recorded_bodies_and_events_come_out_byte_by_byte() -> None:
    if not RECORDINGS.is_dir():
        pytest.skip("the recordings are not here")
    compared = 0
    for path in RECORDINGS.glob("CONVERSE-*.bin"):
        compared += 1
        assert canonical_json(json.loads(path.read_bytes())) == path.read_bytes(), path
    for path in RECORDINGS.glob("*.bin.json"):
        sidecar = json.loads(path.read_text())
        if sidecar["operation"] == "converse-stream" and sidecar["status"] == 200:
            for message in Decoder().feed(path.with_suffix("").read_bytes()):
                compared += 1
                assert canonical_json(json.loads(message.payload)) == message.payload, path
    assert compared > 3000
