"""Every event and exception that the service model has can be scripted, and botocore reads back exactly it.

Instances are drawn from the shapes of the installed botocore, so that what a newer one has is tried as well.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from functools import cache
from math import isfinite
from typing import Any

import pytest
from botocore.eventstream import EventStream
from botocore.exceptions import EventStreamError
from botocore.loaders import Loader
from botocore.model import ServiceModel, StructureShape
from botocore.parsers import EventStreamJSONParser
from converse_emulator.choosing.request import Request
from converse_emulator.language.loader import scenario_from
from converse_emulator.playing.acts import Send
from converse_emulator.shapes.service import event_types, stream_exceptions
from converse_emulator.spelling.timeline import compile_reply
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shape_instances import SHAPES, valid

REQUEST = Request(
    "ConverseStream",
    "anthropic.claude-3-haiku-20240307-v1:0",
    {},
    {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
)
EVENTS = {name: SHAPES["ConverseStreamOutput"]["members"][name]["shape"] for name in event_types()}


@cache
def output_shape() -> StructureShape:
    service = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")
    shape: StructureShape = service.operation_model("ConverseStream").get_event_stream_output()
    return shape


class Body:
    """A response's body as botocore takes it, in one piece."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> Iterator[bytes]:
        yield self._data

    def close(self) -> None: ...


def sent(*steps: Any) -> bytes:
    """The body of a stream that says these steps, as a file of YAML or JSON would have them."""
    scenario = scenario_from({"reply": list(steps)}, name="law", where="law")
    timeline = compile_reply(scenario.replies[0], REQUEST, seed="1", now=0.0)
    return b"".join(beat.act.data for beat in timeline.beats if isinstance(beat.act, Send))


def parsed(body: bytes) -> list[Mapping[str, Any]]:
    """What botocore makes of it."""
    return list(EventStream(Body(body), output_shape(), EventStreamJSONParser(), "ConverseStream"))


def as_parsed(name: str, value: Any) -> Any:
    """A value of a shape as botocore gives it to its users: blobs as bytes."""
    shape = SHAPES[name]
    if shape["type"] == "blob":
        return b64decode(value)
    if shape["type"] == "structure" and not shape.get("document"):
        return {key: as_parsed(shape["members"][key]["shape"], item) for key, item in value.items()}
    if shape["type"] == "list":
        return [as_parsed(shape["member"]["shape"], item) for item in value]
    if shape["type"] == "map":
        return {key: as_parsed(shape["value"]["shape"], item) for key, item in value.items()}
    return value


def is_sayable(value: Any) -> bool:
    """Whether the language takes it: JSON has no numbers that are none, and YAML's end at 64 bits."""
    match value:
        case dict():
            return all(map(is_sayable, value.values()))
        case list():
            return all(map(is_sayable, value))
        case float():
            return isfinite(value)
        case int():
            return -(2**63) <= value < 2**63
        case _:
            return True


@pytest.mark.parametrize("event_type", EVENTS)
@settings(max_examples=60)
@given(st.data())
def test_an_event_comes_back_exactly(event_type: str, data: st.DataObject) -> None:
    body = data.draw(valid(EVENTS[event_type]).filter(is_sayable))
    events = parsed(sent({"event": {event_type: body}}, "finish"))
    expected = {event_type: as_parsed(EVENTS[event_type], body)}
    assert events[-1] == expected
    assert [event for event in events if event_type in event] == [expected]


@pytest.mark.parametrize("name", stream_exceptions())
@given(message=st.text(min_size=1))
def test_an_exception_comes_back_exactly(name: str, message: str) -> None:
    with pytest.raises(EventStreamError) as raised:
        parsed(sent({"throw": {"exception": name, "message": message}}))
    assert raised.value.response["Error"] == {"Code": name, "Message": message}


def test_there_is_a_law_for_every_member_of_the_stream() -> None:
    assert {*EVENTS, *stream_exceptions()} == set(SHAPES["ConverseStreamOutput"]["members"])
