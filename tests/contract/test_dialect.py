"""The reference dialect: asking by template, reading what it can, and never failing on what it cannot."""

import json

import pytest
from converse_contract.dialect import Seen
from converse_contract.dialects.reference import EVENTS, ReferenceDialect, read
from converse_contract.transcript import (
    BlockStarted,
    BlockStopped,
    Failed,
    Finished,
    Heartbeat,
    Observed,
    Sentinel,
    Started,
    Text,
    Thinking,
    ToolFinished,
    ToolStarted,
    Unreadable,
)
from hypothesis import given, settings
from hypothesis import strategies as st

READ = [
    ('{"type":"message_start","id":"msg_1"}', Started()),
    ('{"type":"content_block_start","index":2,"kind":"thinking"}', BlockStarted(2, "thinking")),
    ('{"type":"content_block_start"}', BlockStarted(0, "text")),
    ('{"type":"content_block_delta","index":1,"delta":{"text":"Hi"}}', Text("Hi", 1)),
    ('{"type":"content_block_delta","delta":{"text":""}}', Text("", 0)),
    ('{"type":"content_block_delta","index":0,"delta":{"thinking":"Hm"}}', Thinking("Hm", 0)),
    ('{"type":"content_block_stop","index":3}', BlockStopped(3)),
    (
        '{"type":"tool_start","id":"t1","name":"look","label":"Looking …"}',
        ToolStarted("t1", "look", "Looking …"),
    ),
    ('{"type":"tool_end","id":"t1","name":"look","ok":true,"error":null}', ToolFinished("t1", "look", True)),
    (
        '{"type":"tool_end","id":"t1","name":"look","ok":false,"error":"x"}',
        ToolFinished("t1", "look", False, "x"),
    ),
    (
        '{"type":"message_stop","stop_reason":"end_turn","truncated":false,'
        '"usage":{"input_tokens":3,"output_tokens":5}}',
        Finished("end_turn", False, 3, 5),
    ),
    (
        '{"type":"message_stop","stop_reason":"max_tokens","truncated":true,"usage":null}',
        Finished("max_tokens", True),
    ),
    ('{"type":"message_stop","stop_reason":"end_turn"}', Finished("end_turn", False)),
    (
        '{"type":"error","code":"throttled","message":"Busy.","retryable":true,"partial":false}',
        Failed("throttled", "Busy.", True, False),
    ),
    ('{"type":"error","code":"x","message":""}', Failed("x", "", None, None)),
    ("[DONE]", Sentinel()),
]

UNREADABLE = [
    ("", "not JSON"),
    ("hello", "not JSON"),
    ("[1]", "not a JSON object"),
    ('{"type":"text_delta","text":"x"}', "'text_delta' is none of message_start"),
    ("{}", "None is none of"),
    ('{"type":["x"]}', "is none of"),
    ('{"type":"content_block_delta","index":0}', "'delta' is missing"),
    ('{"type":"content_block_delta","index":0,"delta":{}}', "'text' is missing"),
    ('{"type":"content_block_delta","index":"0","delta":{"text":"x"}}', "'index' is str, not int"),
    ('{"type":"content_block_stop","index":true}', "'index' is bool, not int"),
    ('{"type":"message_stop"}', "'stop_reason' is missing"),
    ('{"type":"message_stop","stop_reason":"end_turn","truncated":"no"}', "'truncated' is str, not bool"),
    ('{"type":"error","code":429,"message":"x"}', "'code' is int, not str"),
]


@pytest.mark.parametrize(("data", "event"), READ)
def test_every_event_is_read(data: str, event: Observed) -> None:
    assert read(data) == event


def test_every_event_type_is_among_those() -> None:
    assert {json.loads(data)["type"] for data, _ in READ if data != "[DONE]"} == set(EVENTS)


@pytest.mark.parametrize(("data", "why"), UNREADABLE)
def test_what_cannot_be_read_says_why(data: str, why: str) -> None:
    event = read(data)
    assert isinstance(event, Unreadable)
    assert event.raw == data
    assert why in event.why


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "id", "usage"]), inner)
    ),
    max_leaves=5,
)
MEMBERS = [
    "index",
    "kind",
    "delta",
    "id",
    "name",
    "ok",
    "stop_reason",
    "truncated",
    "usage",
    "code",
    "message",
]


@settings(deadline=None)
@given(st.sampled_from(list(EVENTS)), st.dictionaries(st.sampled_from(MEMBERS), JSON))
def test_reading_never_raises(kind: str, members: dict[str, object]) -> None:
    read(json.dumps({"type": kind, **members}))


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_reading_bytes_never_raises(data: bytes) -> None:
    ReferenceDialect().reader().feed(data + b"\n\ndata: " + data + b"\n\n")


def test_a_reader_gives_events_with_their_ids_and_heartbeats() -> None:
    reader = ReferenceDialect().reader()
    assert reader.feed(b'retry: 3000\n\nid: 1\ndata: {"type":"message_st') == []
    assert reader.feed(b'art"}\n\n: ping\n\ndata: [DONE]\n\n') == [
        Seen(Started(), "1"),
        Seen(Heartbeat()),
        Seen(Sentinel()),
    ]


def test_the_default_request_is_the_reference_handlers() -> None:
    request = ReferenceDialect().request('Say "hi"\n[[session: x]]')
    assert (request.method, request.path) == ("POST", "/chat")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {"messages": [{"role": "user", "content": 'Say "hi"\n[[session: x]]'}]}


def test_a_template_fills_every_place() -> None:
    template = '{"q": "Please: {{prompt}}", "deep": [{"x": "{{prompt}}"}, 1, null], "temperature": 0.5}'
    request = ReferenceDialect("/ask", template).request("hi")
    assert request.path == "/ask"
    assert json.loads(request.body) == {"q": "Please: hi", "deep": [{"x": "hi"}, 1, None], "temperature": 0.5}


@pytest.mark.parametrize(
    ("template", "why"),
    [("{", "not JSON"), ('{"q": "hello"}', "{{prompt}}"), ('{"{{prompt}}": 1}', "{{prompt}}")],
)
def test_a_template_that_cannot_work_is_refused(template: str, why: str) -> None:
    with pytest.raises(ValueError, match="request template") as error:
        ReferenceDialect(request=template)
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ('{"seq": 1, "type": "message_start", "id": "m"}', Seen(Started(), "1")),
        ('{"type": "ping"}', Seen(Heartbeat())),
        ('{"type": "message_start"}', Seen(Started())),
        ("[1]", Seen(Unreadable("[1]", "not a JSON object"))),
    ],
)
def test_a_message_has_its_number(text: str, seen: Seen) -> None:
    assert ReferenceDialect().message(text) == seen
