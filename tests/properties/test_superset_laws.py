"""What botocore's own validator refuses, ours refuses as well; besides it knows maxima, patterns and enums.

botocore judges what a Python program says, ours what came as JSON. So these differ, and are left out:

- `null` is an absent member to the service, as in AWS's JSON protocols; to botocore `None` is a wrong type.
- Values that no JSON is (`bytes`, `Decimal`, `datetime`, tuples, files): no request carries them.
- A body that is not JSON (`InvokeModel`'s): its bytes are the model family's to judge, see `native`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from converse_emulator.shapes import service
from converse_emulator.shapes.constraints import Checks
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.shape_instances import JSON, SHAPES, replaced, valid

MODEL = ServiceModel(service.model())
CHECKS = Checks(SHAPES)
SAMPLES: tuple[Any, ...] = (True, -1, 0, 1.5, "", "x", [], [1], {}, {"x": 1})  # one of each type, and more
Mutation = Callable[[str, Any], Iterator[Any]]

quick = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


def botocore_refuses(name: str, value: Any) -> bool:
    return bool(ParamValidator().validate(value, MODEL.shape_for(name)).has_errors())


def inner_shapes(name: str) -> Iterator[str]:
    """The shapes that a shape is made of, one level down."""
    shape = SHAPES[name]
    if shape.get("document"):
        return
    yield from (member["shape"] for member in shape.get("members", {}).values())
    yield from (shape[part]["shape"] for part in ("member", "key", "value") if part in shape)


def reachable() -> list[str]:
    """All shapes that a request can have anywhere."""
    found: set[str] = set()
    left = [operation.input for operation in service.operations().values()]
    while left:
        if (name := left.pop()) not in found:
            found.add(name)
            left += inner_shapes(name)
    return sorted(found)


# What is done to a valid value, at its root. Each yields only what botocore must refuse.


def wrong_type(name: str, value: Any) -> Iterator[Any]:
    del value
    for sample in SAMPLES:
        if not SHAPES[name].get("document") and botocore_refuses(name, sample):
            yield sample


def missing(name: str, value: Any) -> Iterator[Any]:
    for member in SHAPES[name].get("required", ()):
        yield {key: item for key, item in value.items() if key != member}


def unknown(name: str, value: Any) -> Iterator[Any]:
    if SHAPES[name]["type"] == "structure" and not SHAPES[name].get("document"):
        for sample in SAMPLES:
            yield value | {"unheardOf": sample}


def too_small(name: str, value: Any) -> Iterator[Any]:
    """Too short, too: botocore does not measure maps and blobs."""
    least = SHAPES[name].get("min")
    match SHAPES[name]["type"]:
        case "string" | "list" if least:
            yield value[: least - 1]
        case "integer" | "long" | "float" | "double" if least is not None:
            yield least - 1


def too_many_of_a_union(name: str, value: Any) -> Iterator[Any]:
    if SHAPES[name].get("union"):
        yield {}
        for member in SHAPES[name]["members"].keys() - value.keys():
            yield value | {member: next(iter(value.values()))}


def wrong_inside(name: str, value: Any) -> Iterator[Any]:
    """A member, an item, a key or its value that botocore refuses."""
    shape = SHAPES[name]
    match shape["type"]:
        case "structure" if not shape.get("document"):
            for member, described in shape["members"].items():
                kept = {} if shape.get("union") else value
                yield from (kept | {member: bad} for bad in wrong_type(described["shape"], None))
        case "list":
            yield from ([*value, bad] for bad in wrong_type(shape["member"]["shape"], None))
        case "map":
            yield from (value | {"x": bad} for bad in wrong_type(shape["value"]["shape"], None))
            yield from (value | {bad: "x"} for bad in too_small(shape["key"]["shape"], "xx"))


MUTATIONS: tuple[Mutation, ...] = (
    wrong_type,
    missing,
    unknown,
    too_small,
    too_many_of_a_union,
    wrong_inside,
)


@pytest.mark.parametrize("name", reachable())
@quick
@given(data=st.data())
def test_each_shape_refuses_what_botocore_refuses(name: str, data: st.DataObject) -> None:
    value = data.draw(valid(name))
    assert not botocore_refuses(name, value)
    assert not CHECKS[name](value)
    for mutate in MUTATIONS:
        for bad in mutate(name, value):
            assert botocore_refuses(name, bad), (mutate.__name__, bad)
            assert CHECKS[name](bad), (mutate.__name__, bad)


@pytest.mark.parametrize("mutate", MUTATIONS)
def test_no_mutation_is_idle(mutate: Mutation) -> None:
    """Each makes something of many shapes."""
    examples = {"structure": {}, "list": ["x"] * 9, "map": {}, "string": "x" * 99}

    def makes(name: str) -> bool:
        value = examples.get(SHAPES[name]["type"], 1)
        if SHAPES[name].get("union"):
            value = {"x": 1}
        return any(True for _ in mutate(name, value))

    assert sum(map(makes, reachable())) >= 20


def places(name: str, value: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Each place of a value, documents left out: the keys that lead there, and its shape."""
    shape = SHAPES[name]
    if shape.get("document"):
        return
    yield keys, name
    match shape["type"]:
        case "structure":
            for key, item in value.items():
                yield from places(shape["members"][key]["shape"], item, (*keys, key))
        case "list":
            for number, item in enumerate(value):
                yield from places(shape["member"]["shape"], item, (*keys, number))
        case "map":
            for key, item in value.items():
                yield from places(shape["value"]["shape"], item, (*keys, key))


def at(value: Any, keys: tuple[Any, ...]) -> Any:
    for key in keys:
        value = value[key]
    return value


def has_null(value: Any) -> bool:
    match value:
        case dict():
            return any(map(has_null, value.values()))
        case list():
            return any(map(has_null, value))
        case _:
            return value is None


@pytest.mark.parametrize("operation", sorted(service.operations()))
@settings(quick, max_examples=80)
@given(data=st.data())
def test_each_operation_refuses_a_request_that_botocore_would_not_send(
    operation: str, data: st.DataObject
) -> None:
    """One place of a valid request is made wrong, by a rule or by any JSON at all."""
    described = service.operations()[operation]
    request = data.draw(valid(described.input))
    keys, name = data.draw(st.sampled_from(list(places(described.input, request))))
    here = at(request, keys)
    bad = [new for mutate in MUTATIONS for new in mutate(name, here)]
    new = data.draw(st.sampled_from(bad) | JSON if bad else JSON)
    request = replaced(request, keys, new)
    assume(not has_null(new) and botocore_refuses(described.input, request))
    assert service.input_violations(described, request)


def test_null_is_an_absent_member_and_not_a_missing_one() -> None:
    request = {"modelId": "x", "messages": None, "system": None}
    assert botocore_refuses("ConverseRequest", request)
    assert not CHECKS["ConverseRequest"](request)
    assert CHECKS["ConverseRequest"]({"modelId": None})


def test_ours_refuses_more() -> None:
    """Maxima, patterns, enums, what is no number: botocore lets them pass."""
    for name, value in (
        ("ConversationRole", "teacher"),
        ("ConversationalModelId", "not a model"),
        ("InferenceConfiguration", {"temperature": 1.5}),
        ("InferenceConfiguration", {"maxTokens": True}),
        ("ImageSource", {"bytes": "not base64"}),
    ):
        assert not botocore_refuses(name, value)
        assert CHECKS[name](value)


@given(st.from_regex(r"\d{1,4}-?(W|\d\d-)?\d{1,3}(.\d\d(:\d\d){0,3})?(Z|[+-]\d\d:?\d\d)?", fullmatch=True))
def test_a_timestamp_that_botocore_cannot_read_is_none(text: str) -> None:
    try:
        refused = botocore_refuses("Timestamp", text)
    except (OverflowError, RuntimeError):
        return  # botocore fails on it; it does not judge
    if refused:
        assert CHECKS["Timestamp"](text)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("2026-11-28", True),
        ("2026-11-28T09:00:01Z", True),
        ("2026-11-28T09:00:01.250+01:00", True),
        ("2026-W48-6", False),
        ("20261128", False),
        ("2026-11-28x09:00", False),
        ("2026-11-31", False),
    ],
)
def test_a_timestamp_is_what_rfc_3339_says_or_a_date(text: str, valid: bool) -> None:
    assert (not CHECKS["Timestamp"](text)) is valid
