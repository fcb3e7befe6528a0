"""Whatever a client says in a session is taken or refused with a reason; what is taken can be answered."""

import json
from contextlib import suppress
from random import Random
from typing import Any

from converse_emulator.answering.answer import automatic_reply
from converse_emulator.choosing.request import Request
from converse_emulator.dialogue.compiling import compile_turn
from converse_emulator.dialogue.hearing import Hearing
from converse_emulator.dialogue.inbound import BadInput, Inbound
from converse_emulator.dialogue.sonic import Speech, Voice
from converse_emulator.framing.eventstream import Message, encode
from converse_emulator.spelling.delivery import Delivery
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.shape_instances import JSON

NAMES = st.sampled_from(["a", "b", "p"])
SCHEMA = st.sampled_from(['{"type": "object"}', '{"type": "array"}', "5", "[[", "{}", '{"required": 1}'])
SPEC = st.fixed_dictionaries(
    {"name": st.sampled_from(["x", "y z", ""]), "inputSchema": st.fixed_dictionaries({"json": SCHEMA | JSON})}
)
TOOLS = st.lists(st.fixed_dictionaries({"toolSpec": SPEC}) | JSON, max_size=2)
# What members may be: mostly what they should be, sometimes anything.
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "promptName": st.just("p") | JSON,
    "contentName": NAMES | JSON,
    "type": st.sampled_from(["TEXT", "AUDIO", "TOOL"]) | JSON,
    "role": st.sampled_from(["SYSTEM", "USER", "ASSISTANT", "TOOL"]) | JSON,
    "interactive": st.booleans() | JSON,
    "content": st.sampled_from(["Hi", "", "AAAA", "//8AAA==", '{"a": 1}', "[" * 5000]) | JSON,
    "inferenceConfiguration": st.fixed_dictionaries({"maxTokens": st.integers(-1, 9) | JSON}) | JSON,
    "audioOutputConfiguration": st.fixed_dictionaries({"sampleRateHertz": st.integers(-1, 9000) | JSON})
    | JSON,
    "audioInputConfiguration": st.fixed_dictionaries({"sampleRateHertz": st.integers(-1, 9) | JSON}) | JSON,
    "toolResultInputConfiguration": st.fixed_dictionaries({"toolUseId": NAMES | JSON}) | JSON,
    "toolConfiguration": st.fixed_dictionaries({"tools": TOOLS | JSON}, optional={"toolChoice": JSON}) | JSON,
}
EVENT = st.tuples(
    st.sampled_from(
        [
            "contentStart",
            "textInput",
            "audioInput",
            "toolResult",
            "contentEnd",
            "promptEnd",
            "sessionEnd",
            "x",
        ]
    ),
    st.fixed_dictionaries({}, optional=MEMBERS),
)
START = st.tuples(
    st.tuples(st.just("sessionStart"), st.fixed_dictionaries({}, optional=MEMBERS)),
    st.tuples(
        st.just("promptStart"),
        st.fixed_dictionaries({}, optional=MEMBERS).map(lambda members: {**members, "promptName": "p"}),
    ),
)


NO_SCHEMA = {"toolSpec": {"name": "x", "inputSchema": {"json": "5"}}}


@settings(max_examples=300)
@example(
    (
        ("sessionStart", {}),
        ("promptStart", {"promptName": "p", "toolConfiguration": {"tools": [NO_SCHEMA]}}),
    ),
    [],
    True,
)
@given(START, st.lists(EVENT, max_size=8), st.booleans())
def test_anything_is_answered_or_refused(start: Any, events: list[Any], whole: bool) -> None:
    hearing, rng = Hearing(), Random(1)
    voice = Voice(rng)
    question = [
        ("contentStart", {"promptName": "p", "contentName": "q", "type": "TEXT", "role": "USER"}),
        ("textInput", {"promptName": "p", "contentName": "q", "content": "Hi"}),
        ("contentEnd", {"promptName": "p", "contentName": "q"}),
    ]
    with suppress(BadInput):
        for name, members in [*start, *(question if whole else []), *events]:
            if turn := hearing.hear(name, members):
                request = Request(
                    "InvokeModelWithBidirectionalStream", "amazon.nova-2-sonic-v1:0", {}, hearing.body
                )
                reply = automatic_reply(request, rng)
                speech = Speech(voice, hearing, turn)
                timeline, message = compile_turn(reply, request, rng, speech, Delivery("i", 0.0, 1.0))
                assert timeline.beats
                hearing.answered(message)


@given(st.binary(max_size=200) | JSON.map(lambda value: encode(Message((), json.dumps(value).encode()))))
def test_any_bytes_are_events_or_refused(data: bytes) -> None:
    with suppress(BadInput):
        list(Inbound().events(data))
